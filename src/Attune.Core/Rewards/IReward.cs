using Attune.Core.Data;

namespace Attune.Core.Rewards;

/// <summary>An answer to be judged.</summary>
/// <param name="Prompt">What was asked, with the right answer where there is one.</param>
/// <param name="Text">What was said, without control tokens.</param>
/// <param name="Ended">Whether the model ended its turn itself.</param>
public sealed record RewardedAnswer(PromptRow Prompt, string Text, bool Ended);

/// <summary>Says how good answers are: a rule that can be checked, a reward model, a judge.</summary>
public interface IReward
{
    /// <summary>A finite number for each answer, in order; higher is better.</summary>
    IReadOnlyList<double> Score(IReadOnlyList<RewardedAnswer> answers);
}
