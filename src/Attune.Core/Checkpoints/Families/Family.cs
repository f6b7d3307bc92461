using System.Text.Json.Nodes;

namespace Attune.Core.Checkpoints.Families;

/// <summary>
/// One architecture: how its config is read and written, and what its files call the parts of a decoder. The decoder
/// itself is one for all; a family only says which options of it are on. A new architecture is one new file that makes
/// one of these, and its line in <see cref="FamilyList"/>.
/// </summary>
/// <param name="Architecture">The class in config.json, <c>LlamaForCausalLM</c>.</param>
/// <param name="ModelType">Its <c>model_type</c>.</param>
internal sealed record Family(string Architecture, string ModelType)
{
    /// <summary>A family of these defaults.</summary>
    internal Family(FamilyDefaults defaults)
        : this(defaults.Architecture, defaults.ModelType)
    {
    }

    /// <summary>The class of the same body with a score on top.</summary>
    public string Classifier { get; init; } = Architecture.Replace("ForCausalLM", "ForSequenceClassification", StringComparison.Ordinal);

    /// <summary>What its files call the parts.</summary>
    public DecoderNames Names { get; init; } = new();

    /// <summary>Reads what decides about the model; every other key must be in <see cref="Rest"/> or on the list of those that change nothing.</summary>
    public required Func<ConfigReader, DecoderConfig> Read { get; init; }

    /// <summary>Writes the same keys as transformers 5 does.</summary>
    public required Func<DecoderConfig, JsonObject> Write { get; init; }

    /// <summary>
    /// The keys that transformers writes beside those and that change nothing of what is computed, with the values it
    /// writes by itself, as JSON. What a file has in their place is kept (<see cref="DecoderConfig.Unused"/>).
    /// </summary>
    public required string Rest { get; init; }
}
