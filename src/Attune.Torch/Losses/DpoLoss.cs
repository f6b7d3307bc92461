using Attune.Torch.Losses.Dpo;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Losses;

/// <summary>One equation of the DPO family.</summary>
/// <param name="pairs">P pairs.</param>
/// <param name="beta">β: how dear it is to leave the reference.</param>
/// <param name="smoothing">ε: the share of labels taken to be wrong; forms without one ignore nothing: they refuse it.</param>
/// <returns>The loss of each pair, P.</returns>
public delegate Tensor DpoForm(PairLogProbs pairs, double beta, double smoothing);

/// <summary>
/// Direct preference optimisation (Rafailov et al., arXiv 2305.18290) and its relatives: a table of equations, each in
/// a file of its own under Dpo/. The mean over the pairs of a micro-batch, as TRL takes it.
/// </summary>
public static class DpoLoss
{
    private static readonly Dictionary<string, (DpoForm Form, bool Smooths)> Forms = new(StringComparer.Ordinal)
    {
        ["sigmoid"] = (SigmoidForm.Of, false),
        ["offset"] = (OffsetForm.Of, false),
        ["cdpo"] = (CdpoForm.Of, true),
        ["robust"] = (RobustForm.Of, true),
        ["hinge"] = (HingeForm.Of, false),
        ["ipo"] = (IpoForm.Of, false),
        ["sigmoid_norm"] = (SigmoidNormForm.Of, false),
        ["exo_pair"] = (ExoPairForm.Of, true),
        ["nca_pair"] = (NcaPairForm.Of, false),
        ["bco_pair"] = (BcoPairForm.Of, false),
        ["sppo_hard"] = (SppoHardForm.Of, false),
        ["aot"] = (AotForm.Paired, true),
        ["aot_unpaired"] = (AotForm.Unpaired, true),
        ["apo_zero"] = (ApoForm.Zero, false),
        ["apo_down"] = (ApoForm.Down, false),
        ["discopop"] = (DiscoPopForm.Of, false),
    };

    /// <summary>Every form there is.</summary>
    public static IReadOnlyCollection<string> Names => Forms.Keys;

    /// <summary>Refuses a form that is not there, and smoothing where the form has none (TRL ignores it silently).</summary>
    /// <exception cref="TrainingException">ATT5101, ATT5103.</exception>
    public static void Check(string form, double beta, double smoothing)
    {
        if (!Forms.TryGetValue(form, out var found))
            throw TrainingException.Unsupported("DPO loss", form, Names);
        if (!(beta > 0))
            throw new TrainingException("ATT5103", FormattableString.Invariant($"beta is {beta}.")) { Field = "beta", Hint = "It must be positive; .1 is usual." };
        if (smoothing != 0 && !found.Smooths)
            throw new TrainingException("ATT5103", $"The {form} loss has no label smoothing.")
            {
                Field = "label_smoothing",
                Hint = form == "sigmoid" ? "Use loss cdpo or robust, or set label_smoothing to 0." : "Set label_smoothing to 0.",
            };
        if (found.Smooths && smoothing is < 0 or >= 0.5)
            throw new TrainingException("ATT5103", FormattableString.Invariant($"label_smoothing is {smoothing}.")) { Field = "label_smoothing", Hint = "It is the share of wrong labels: from 0 to below .5." };
        if (form == "exo_pair" && smoothing == 0)
            throw new TrainingException("ATT5103", "exo_pair needs label_smoothing above 0: its target has ln ε.") { Field = "label_smoothing", Hint = "Try 0.001." };
    }

    /// <summary>The mean loss of the pairs.</summary>
    /// <exception cref="TrainingException">ATT5101: no form has that name.</exception>
    public static Tensor Of(string form, PairLogProbs pairs, double beta, double smoothing = 0)
    {
        Check(form, beta, smoothing);
        return Forms[form].Form(pairs, beta, smoothing).mean();
    }
}
