using Attune.Core.Preferences;
using Attune.Prompts;

namespace Attune.Core.Tests.Preferences;

/// <summary>Tasks and clocks for tests of collected preferences.</summary>
internal static class Annotations
{
    public static RankTask Task(string prompt, params string[] answers) =>
        RankTask.Of(new Conversation([new("user", prompt)]), answers.Select(a => new Candidate(a, "world:chat", "sha256:00", new AnswerSampling(1, 0, 1, 0, 64, 9))))!;

    public static Annotation Ranked(string annotator, RankTask task, params int[] ranks) => new()
    {
        Event = AnnotationEvent.Ranked,
        Task = task,
        Annotator = annotator,
        By = "person",
        Time = Clock.Noon,
        Ranks = ranks,
    };

    public sealed class Clock : TimeProvider
    {
        public static readonly DateTimeOffset Noon = new(2030, 1, 2, 12, 0, 0, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Noon;
    }
}
