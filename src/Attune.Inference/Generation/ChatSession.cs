using System.Runtime.CompilerServices;
using System.Text;
using Attune.Prompts;

namespace Attune.Inference;

/// <summary>What a session does when the conversation has outgrown the window.</summary>
public enum OverflowPolicy
{
    /// <summary>Refuse with a <see cref="WindowOverflowException"/>.</summary>
    Error,

    /// <summary>Forget the oldest question and what followed it, as often as needed; the system message stays. <see cref="ChatSession.Dropped"/> counts.</summary>
    DropOldest,
}

/// <summary>
/// A conversation of several turns with one version. What the model has read stays in its cache, so a turn costs its own
/// tokens and not the whole history's. For one caller at a time.
/// </summary>
public sealed class ChatSession : IDisposable
{
    private readonly LocalModel _model;
    private readonly KvCache _cache;
    private readonly List<Message> _history = [];
    private List<int> _cached = [];

    /// <param name="model">Who answers; not owned.</param>
    /// <param name="system">The system message, or null.</param>
    /// <param name="options">How answers are generated; null takes the version's own sampling.</param>
    /// <param name="overflow">What happens when the window is full: never silent.</param>
    public ChatSession(LocalModel model, string? system = null, GenerationOptions? options = null, OverflowPolicy overflow = OverflowPolicy.Error)
    {
        (_model, System, Options, Overflow) = (model, system, options ?? new() { Sampling = model.Sampling }, overflow);
        _cache = model.NewCache();
    }

    /// <summary>The system message, or null. May change between turns.</summary>
    public string? System { get; set; }

    /// <summary>How answers are generated. May change between turns.</summary>
    public GenerationOptions Options { get; set; }

    /// <summary>What happens when the window is full.</summary>
    public OverflowPolicy Overflow { get; set; }

    /// <summary>Messages so far, without the system message.</summary>
    public IReadOnlyList<Message> History => _history;

    /// <summary>Messages that were forgotten to make room.</summary>
    public int Dropped { get; private set; }

    /// <summary>Tokens of the last prompt, and how many of them were already in the cache.</summary>
    public (int Prompt, int Reused) LastTurn { get; private set; }

    /// <summary>
    /// Says something and gives the answer as it comes. A turn that is cancelled or fails leaves the history as it was.
    /// </summary>
    /// <exception cref="WindowOverflowException">ATT6002: the conversation does not fit, and the policy is to say so.</exception>
    public async IAsyncEnumerable<string> SendAsync(string text, [EnumeratorCancellation] CancellationToken cancel = default)
    {
        var question = new Message("user", text);
        var (ids, drop) = Fit(question);
        Dropped += drop;
        _history.RemoveRange(0, drop);

        // At least the last token has to run again: its logits choose the first of the answer.
        var shared = 0;
        while (shared < Math.Min(_cached.Count, ids.Length - 1) && _cached[shared] == ids[shared])
            shared++;
        _cache.Truncate(shared);
        LastTurn = (ids.Length, shared);

        RunningSequence? sequence = null;
        var answer = new StringBuilder();
        var complete = false;
        try
        {
            await foreach (var part in _model.StreamAsync(ids, Options, _cache, s => sequence = s, cancel))
            {
                answer.Append(part);
                yield return part;
            }
            complete = true;
        }
        finally
        {
            _cached = sequence is null ? [] : [.. sequence.Ids.Take(_cache.Length)];
            if (complete)
            {
                var generation = await sequence!.Done;
                _history.Add(question);
                _history.Add(new Message("assistant", answer.ToString()) { GeneratedIds = generation.Ids });
            }
        }
    }

    /// <summary>Takes the last question and its answer back; false where there is none.</summary>
    public bool Undo()
    {
        var last = _history.FindLastIndex(m => m.Role == "user");
        if (last >= 0)
            _history.RemoveRange(last, _history.Count - last);
        return last >= 0;
    }

    /// <summary>Forgets everything but the system message.</summary>
    public void Clear()
    {
        _history.Clear();
        Dropped = 0;
    }

    /// <summary>Frees the cache.</summary>
    public void Dispose() => _cache.Dispose();

    /// <summary>The prompt, and how many of the oldest messages must go for it.</summary>
    private (int[] Ids, int Drop) Fit(Message question)
    {
        // Room for the answer, but no more than a quarter of the window, or else a small window would hold no history.
        var room = Math.Min(Options.MaxTokens, _model.Config.ContextLength / 4);
        for (var drop = 0; ; drop = NextTurn(drop))
        {
            List<Message> messages = [.. _history.Skip(drop), question];
            if (System is not null)
                messages.Insert(0, new Message("system", System));
            var ids = _model.Encode(new Conversation(messages));
            if (ids.Length + room <= _model.Config.ContextLength)
                return (ids, drop);
            if (Overflow == OverflowPolicy.Error || drop >= _history.Count)
                throw new WindowOverflowException(ids.Length + room, _model.Config.ContextLength) { Hint = "Start anew, shorten the text, ask for fewer tokens, or let the session drop the oldest turns." };
        }
    }

    private int NextTurn(int from)
    {
        var next = _history.FindIndex(from + 1, m => m.Role == "user");
        return next < 0 ? _history.Count : next;
    }
}
