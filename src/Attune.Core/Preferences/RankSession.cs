using Attune.Core.Randomness;

namespace Attune.Core.Preferences;

/// <summary>What a person at the keyboard (or at a page of the Studio) can do.</summary>
public enum RankAction
{
    /// <summary>The answer with this number is the best of those not placed yet.</summary>
    Place,

    /// <summary>The next answer that is placed is as good as the one before.</summary>
    Tie,

    /// <summary>This is the order. Answers not placed yet share the last rank.</summary>
    Commit,

    /// <summary>None of them is acceptable.</summary>
    AllBad,

    /// <summary>No judgement of this prompt.</summary>
    Skip,

    /// <summary>Take back the answer placed last, or, where none is, the judgement before.</summary>
    Undo,

    /// <summary>Stop here; what was said is kept.</summary>
    Quit,
}

/// <summary>What came of an action.</summary>
public enum RankResult
{
    /// <summary>The order grew or shrank; the same task goes on.</summary>
    Changed,

    /// <summary>A line was added to the file; <see cref="RankSession.Current"/> is the next task, or null when one must be given.</summary>
    Recorded,

    /// <summary>The judgement before was taken back; its task is the current one again.</summary>
    TakenBack,

    /// <summary>That makes no sense now: nothing changed.</summary>
    Refused,

    /// <summary>The person wants to stop.</summary>
    Quit,
}

/// <summary>
/// One person ranking answers, apart from any screen: tasks come in, actions come in, lines go to the file. The answers
/// of a task are shown in an order of its own, drawn from the seed, annotator and task, so that no version profits from
/// always standing first; numbers are places in that order.
/// </summary>
public sealed class RankSession(AnnotationLog log, string annotator, TimeProvider time, long seed)
{
    private readonly List<List<int>> _groups = [];
    private readonly Stack<RankTask> _later = new();
    private bool _tie;

    /// <summary>Who ranks.</summary>
    public string Annotator => annotator;

    /// <summary>The task at hand, or null where the next one must be given.</summary>
    public RankTask? Current { get; private set; }

    /// <summary>Indices of the current answers in the order in which they are shown.</summary>
    public IReadOnlyList<int> Shown { get; private set; } = [];

    /// <summary>What was placed so far, best first, as numbers on the screen from 1; those of a group are ties.</summary>
    public IReadOnlyList<IReadOnlyList<int>> Placed => _groups;

    /// <summary>Whether the next answer will tie with the one before.</summary>
    public bool TieNext => _tie;

    /// <summary>Judgements of this annotator that stand.</summary>
    public int Done => log.Standing.Count(a => a.Annotator == annotator);

    /// <summary>Gives the next task.</summary>
    public void Begin(RankTask task)
    {
        Current = task;
        var order = Enumerable.Range(0, task.Answers.Count).ToArray();
        RandomStream.Of(seed, "rank", annotator, task.Id).Shuffle<int>(order);
        Shown = order;
        _groups.Clear();
        _tie = false;
    }

    /// <summary>Does one thing.</summary>
    /// <param name="action">What.</param>
    /// <param name="number">For <see cref="RankAction.Place"/>: the number on the screen, from 1.</param>
    public RankResult Do(RankAction action, int number = 0) => (action, Current) switch
    {
        (RankAction.Quit, _) => RankResult.Quit,
        (RankAction.Undo, _) => Undo(),
        (_, null) => RankResult.Refused,
        (RankAction.Place, _) => Place(number),
        (RankAction.Tie, _) => Tie(),
        (RankAction.Commit, { } task) => _groups.Count == 0 ? RankResult.Refused : Record(task, AnnotationEvent.Ranked, Ranks(task)),
        (RankAction.AllBad, { } task) => Record(task, AnnotationEvent.AllBad, null),
        (_, { } task) => Record(task, AnnotationEvent.Skipped, null),
    };

    private RankResult Place(int number)
    {
        if (number < 1 || number > Shown.Count || _groups.Any(g => g.Contains(number)))
            return RankResult.Refused;
        if (_tie)
            _groups[^1].Add(number);
        else
            _groups.Add([number]);
        _tie = false;
        return RankResult.Changed;
    }

    private RankResult Tie()
    {
        if (_groups.Count == 0 || _groups.Sum(g => g.Count) == Shown.Count)
            return RankResult.Refused;
        _tie = !_tie;
        return RankResult.Changed;
    }

    private RankResult Undo()
    {
        if (_tie)
        {
            _tie = false;
            return RankResult.Changed;
        }
        if (_groups.Count > 0)
        {
            _groups[^1].RemoveAt(_groups[^1].Count - 1);
            if (_groups[^1].Count == 0)
                _groups.RemoveAt(_groups.Count - 1);
            return RankResult.Changed;
        }
        if (log.Standing.LastOrDefault(a => a.Annotator == annotator) is not { } last)
            return RankResult.Refused;
        log.Append(last with { Event = AnnotationEvent.Undone, Time = time.GetUtcNow(), Ranks = null, Shown = null });
        if (Current is { } interrupted)
            _later.Push(interrupted);
        Begin(last.Task);
        return RankResult.TakenBack;
    }

    // Standard competition ranks: two that share the second place are followed by the fourth.
    private int[] Ranks(RankTask task)
    {
        var ranks = new int[task.Answers.Count];
        var next = 1;
        foreach (var group in _groups)
        {
            foreach (var number in group)
                ranks[Shown[number - 1]] = next;
            next += group.Count;
        }
        for (var i = 0; i < ranks.Length; i++)
            ranks[i] = ranks[i] == 0 ? next : ranks[i];
        return ranks;
    }

    private RankResult Record(RankTask task, AnnotationEvent what, int[]? ranks)
    {
        log.Append(new Annotation { Event = what, Task = task, Annotator = annotator, By = "person", Time = time.GetUtcNow(), Ranks = ranks, Shown = Shown });
        if (_later.TryPop(out var next))
            Begin(next);
        else
            Current = null;
        return RankResult.Recorded;
    }
}
