using System.Reflection;

namespace Attune.Core.Options;

/// <summary>What an option holds.</summary>
public enum OptionKind
{
    /// <summary>true or false.</summary>
    Bool,

    /// <summary>A whole number of 32 or 64 bits.</summary>
    Integer,

    /// <summary>A finite double.</summary>
    Number,

    /// <summary>Text.</summary>
    Text,

    /// <summary>One of <see cref="OptionField.Choices"/>.</summary>
    Choice,

    /// <summary>A time such as 20m, 90s or 1h30m.</summary>
    Duration,

    /// <summary>A list of texts.</summary>
    TextList,

    /// <summary>A record of options of its own.</summary>
    Record,
}

/// <summary>One option of an options record, in the three spellings that it has.</summary>
public sealed record OptionField
{
    /// <summary>In C#: <c>LearningRate</c>.</summary>
    public required string Name { get; init; }

    /// <summary>In YAML and JSON: <c>learning_rate</c>.</summary>
    public required string Key { get; init; }

    /// <summary>Keys from the outermost record inward, joined by dots: <c>optimizer.learning_rate</c>.</summary>
    public required string Path { get; init; }

    /// <summary>On the command line: <c>--learning-rate</c>; a nested one has its record's name before it, <c>--optimizer-learning-rate</c>.</summary>
    public required string Flag { get; init; }

    /// <summary>What it holds.</summary>
    public required OptionKind Kind { get; init; }

    /// <summary>The type, without its nullable wrapper.</summary>
    public required Type Type { get; init; }

    /// <summary>Whether null ("none" on the command line) is a value.</summary>
    public required bool Nullable { get; init; }

    /// <summary>What it is where nobody gives it; null for required ones and for those whose default is null.</summary>
    public required object? Default { get; init; }

    /// <summary>From the member's <see cref="System.ComponentModel.DescriptionAttribute"/>.</summary>
    public required string Description { get; init; }

    /// <summary>Whether the member is <c>required</c>.</summary>
    public required bool Required { get; init; }

    /// <summary>The values of a <see cref="OptionKind.Choice"/> as they are written: <c>best_fit</c>.</summary>
    public IReadOnlyList<string> Choices { get; init; } = [];

    /// <summary>The fields of a <see cref="OptionKind.Record"/>.</summary>
    public IReadOnlyList<OptionField> Fields { get; init; } = [];

    internal PropertyInfo Property { get; init; } = null!;

    /// <summary>The default as it would be written, for help texts.</summary>
    public string DefaultText => OptionText.Of(Default);
}
