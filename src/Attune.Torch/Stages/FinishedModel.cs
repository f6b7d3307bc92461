using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Torch.Models;

namespace Attune.Torch.Stages;

/// <summary>What a stage on preferences leaves: the files of the new version, its lineage and its card.</summary>
internal sealed record FinishedModel
{
    /// <summary>Its stem.</summary>
    public required string Stage { get; init; }

    /// <summary>What it ran with.</summary>
    public required TrainingOptions Options { get; init; }

    /// <summary>Where.</summary>
    public required StageContext Context { get; init; }

    /// <summary>The weights.</summary>
    public required TorchSharp.torch.nn.Module Module { get; init; }

    /// <summary>The shape, with its ends of turn.</summary>
    public required DecoderConfig Config { get; init; }

    /// <summary>The tokenizer.</summary>
    public required Tokenizer Tokenizer { get; init; }

    /// <summary>The prompt contract.</summary>
    public required StageContract Contract { get; init; }

    /// <summary>What it was trained on, with the rows of each file.</summary>
    public required IReadOnlyList<DataDigest> Data { get; init; }

    /// <summary>Where the run ended.</summary>
    public required RunState State { get; init; }

    /// <summary>What an equal run would tell too.</summary>
    public required JsonObject Facts { get; init; }

    /// <summary>What the new version is called.</summary>
    public required VersionKind Kind { get; init; }

    /// <summary>Writes all of it and declares the run finished.</summary>
    public StageResult Save(RunFolder run)
    {
        var parent = Context.RequireParent();
        ModelFolder.Write(run.Model, Module, Config, Tokenizer, parent);
        Contract.Write(run.Model, parent);
        var lineage = new Lineage
        {
            Parent = Context.ParentDigest,
            Stage = Stage,
            Options = RunIdentity.Options(Options),
            Data = Data,
            Seed = Options.Seed,
            CodeVersion = RunIdentity.CodeVersion,
            Kernels = RunIdentity.Kernels,
            Contract = Contract.Contract.Hash,
            Facts = Contract.Note(Facts).WithLicence(parent),
        };
        ModelCard.Write(Path.Combine(run.Model, ModelFiles.Card), Kind, lineage, Config, ModelFolder.ContractOf(run.Model));
        return run.Finish(Kind, lineage, RunFacts.Of(Config, State));
    }
}
