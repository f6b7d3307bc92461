using Attune.Core.Preferences;
using Attune.Core.Tests.Checkpoints;
using Xunit;

namespace Attune.Core.Tests.Preferences;

/// <summary>A person's keys, scripted: what stands in the file after them.</summary>
public sealed class RankSessionTests : IDisposable
{
    private readonly Scratch _scratch = new();
    private readonly AnnotationLog _log;

    public RankSessionTests() => _log = AnnotationLog.Open(_scratch["log"]);

    public void Dispose()
    {
        _log.Dispose();
        _scratch.Dispose();
    }

    private static readonly RankTask Task = Annotations.Task("q", "a", "b", "c", "d");

    private RankSession Session(string annotator = "ann", long seed = 1) => new(_log, annotator, new Annotations.Clock(), seed);

    /// <summary>Letters name answers (a is Task.Answers[0]), whatever number the screen gives them.</summary>
    private static void Type(RankSession session, string keys)
    {
        foreach (var key in keys)
        {
            var result = key switch
            {
                '=' => session.Do(RankAction.Tie),
                '.' => session.Do(RankAction.Commit),
                '!' => session.Do(RankAction.AllBad),
                '-' => session.Do(RankAction.Skip),
                '<' => session.Do(RankAction.Undo),
                _ => session.Do(RankAction.Place, session.Shown.ToList().FindIndex(i => session.Current!.Answers[i].Text == key.ToString()) + 1),
            };
            Assert.NotEqual(RankResult.Refused, result);
        }
    }

    [Theory]
    [InlineData("bacd.", 2, 1, 3, 4)]
    [InlineData("d=ca.", 3, 4, 1, 1)]
    [InlineData("c.", 2, 2, 1, 2)]
    [InlineData("ab<<ba=<=c.", 2, 1, 2, 4)]
    public void Ranks_belong_to_answers_whatever_the_screen_shows(string keys, params int[] ranks)
    {
        foreach (var seed in new long[] { 1, 2, 3, 4 })
        {
            var session = Session($"ann{seed}", seed);
            session.Begin(Task);
            Type(session, keys);
            Assert.Null(session.Current);
            Assert.Equal(ranks, _log.All[^1].Ranks);
            Assert.Equal(session.Shown, _log.All[^1].Shown);
        }
    }

    [Fact]
    public void Answers_are_shown_in_an_order_of_each_annotator()
    {
        var orders = Enumerable.Range(0, 20).Select(i =>
        {
            var session = Session($"ann{i}");
            session.Begin(Task);
            return string.Join(' ', session.Shown);
        }).ToList();
        Assert.True(orders.Distinct().Count() > 5);
        Assert.Equal(4, orders.Select(o => o[0]).Distinct().Count());
    }

    [Fact]
    public void All_bad_and_skip_are_events_of_their_own()
    {
        var session = Session();
        session.Begin(Task);
        Type(session, "!");
        session.Begin(Annotations.Task("r", "a", "b"));
        Type(session, "-");
        Assert.Equal([AnnotationEvent.AllBad, AnnotationEvent.Skipped], _log.All.Select(a => a.Event));
        Assert.Equal(2, session.Done);
    }

    [Fact]
    public void Undo_takes_the_judgement_before_back_and_then_goes_on()
    {
        var session = Session();
        session.Begin(Task);
        Type(session, "abcd.");
        var next = Annotations.Task("r", "a", "b");
        session.Begin(next);
        Assert.Equal(RankResult.TakenBack, session.Do(RankAction.Undo));
        Assert.Equal(Task.Id, session.Current!.Id);
        Assert.Empty(_log.Standing);
        Type(session, "dcba.");
        Assert.Equal(next.Id, session.Current!.Id);
        Type(session, "b.");
        Assert.Equal([4, 3, 2, 1], _log.Standing[0].Ranks);
        Assert.Equal([2, 1], _log.Standing[1].Ranks);
    }

    [Fact]
    public void What_makes_no_sense_changes_nothing()
    {
        var session = Session();
        Assert.Equal(RankResult.Refused, session.Do(RankAction.Commit));
        Assert.Equal(RankResult.Refused, session.Do(RankAction.Undo));
        session.Begin(Task);
        Assert.Equal(RankResult.Refused, session.Do(RankAction.Commit));
        Assert.Equal(RankResult.Refused, session.Do(RankAction.Tie));
        Assert.Equal(RankResult.Refused, session.Do(RankAction.Place, 5));
        session.Do(RankAction.Place, 1);
        Assert.Equal(RankResult.Refused, session.Do(RankAction.Place, 1));
        Assert.Equal(RankResult.Quit, session.Do(RankAction.Quit));
        Assert.Empty(_log.All);
    }
}
