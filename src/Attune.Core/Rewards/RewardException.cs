using Attune.Prompts;

namespace Attune.Core.Rewards;

/// <summary>A rule that cannot be, or that does not fit the data.</summary>
public sealed class RewardException : AttuneException
{
    /// <inheritdoc cref="AttuneException(string, string, Exception?)"/>
    public RewardException(string code, string message, Exception? inner = null)
        : base(code, message, inner)
    {
    }

    internal static RewardException BadRule(string rule, string why, Exception? inner = null) => new("ATT5204", $"The rule '{rule}' cannot be: {why}", inner)
    {
        Field = "rules",
        Hint = $"Rules are {string.Join(", ", RewardRule.Forms)}, each with a weight before it where wanted: 0.2*json.",
    };
}
