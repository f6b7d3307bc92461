using System.Text;
using Attune.Core.Data;
using Attune.Core.Preferences;
using Attune.Core.Tests.Checkpoints;
using Xunit;

namespace Attune.Core.Tests.Preferences;

public class AnnotationLogTests
{
    private static readonly RankTask First = Annotations.Task("q1 “äß 你”", "a", "b\nc"), Second = Annotations.Task("q2", "d", "e", "f");

    [Fact]
    public void What_is_written_is_read_back_and_read_as_rankings()
    {
        using var scratch = new Scratch();
        using (var log = AnnotationLog.Open(scratch["log.jsonl"]))
        {
            log.Append(Annotations.Ranked("ann", First, 2, 1));
            log.Append(Annotations.Ranked("ann", Second, 1, 2, 2) with { Scores = [3, 0.5, 0.5], Ranks = null });
        }
        var read = AnnotationLog.Read(scratch["log.jsonl"]);
        Assert.Equal([First.Id, Second.Id], read.Select(a => a.Task.Id));
        Assert.Equal(Annotations.Clock.Noon, read[0].Time);
        Assert.Equal(First.Answers, read[0].Task.Answers);
        Assert.Equal([3, 0.5, 0.5], read[1].Scores!);

        var rankings = DataReader.ReadRankings(scratch["log.jsonl"]).ToList();
        Assert.Equal([0, 1], rankings[0].Scores);
        Assert.Equal("b\nc", DataReader.ReadPreferences(scratch["log.jsonl"]).First().Chosen[0].Content);
    }

    [Fact]
    public void A_crash_at_any_byte_of_a_line_loses_that_line_and_no_other()
    {
        using var scratch = new Scratch();
        using (var log = AnnotationLog.Open(scratch["whole"]))
        {
            log.Append(Annotations.Ranked("ann", First, 2, 1));
            log.Append(Annotations.Ranked("ann", Second, 1, 2, 3));
        }
        var bytes = File.ReadAllBytes(scratch["whole"]);
        var start = Array.IndexOf(bytes, (byte)'\n') + 1;
        for (var cut = start; cut <= bytes.Length; cut++)
        {
            File.WriteAllBytes(scratch["torn"], bytes[..cut]);
            using (var log = AnnotationLog.Open(scratch["torn"]))
            {
                // The line feed alone may be missing: then the line is whole.
                Assert.Equal(cut < bytes.Length - 1 ? 1 : 2, log.All.Count);
                Assert.Equal(cut > start && cut < bytes.Length - 1, log.Repaired);
                log.Append(Annotations.Ranked("ben", First, 1, 2));
            }
            Assert.Equal("ben", AnnotationLog.Read(scratch["torn"])[^1].Annotator);
        }
    }

    [Fact]
    public void What_was_taken_back_or_said_anew_does_not_stand()
    {
        using var scratch = new Scratch();
        using var log = AnnotationLog.Open(scratch["log"]);
        log.Append(Annotations.Ranked("ann", First, 2, 1));
        log.Append(Annotations.Ranked("ben", First, 1, 2));
        log.Append(Annotations.Ranked("ann", First, 1, 2) with { Event = AnnotationEvent.Undone });
        log.Append(Annotations.Ranked("ben", First, 1, 1));
        var stands = Assert.Single(log.Standing);
        Assert.Equal(("ben", 1), (stands.Annotator, stands.Ranks![1]));
        Assert.False(log.HasDone("ann", First.Prompt));
        Assert.Equal(First.Id, log.TaskOf(First.Prompt)!.Id);
    }

    [Fact]
    public void A_broken_line_inside_is_named_and_two_writers_are_refused()
    {
        using var scratch = new Scratch();
        scratch.Write("broken", "{\"task\":1}\n{}\n");
        var error = Assert.Throws<PreferenceException>(() => AnnotationLog.Open(scratch["broken"]));
        Assert.Equal(("ATT2411", 1), (error.Code, error.Line));
        Assert.Equal("{\"task\":1}\n{}\n", File.ReadAllText(scratch["broken"], Encoding.UTF8));

        using var held = AnnotationLog.Open(scratch["held"]);
        Assert.Equal("ATT2410", Assert.Throws<PreferenceException>(() => AnnotationLog.Open(scratch["held"])).Code);
    }
}
