using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Attune.Core.Data;

/// <summary>What a set of preferences consists of.</summary>
/// <param name="Pairs">Pairs, given as such or implied by rankings.</param>
/// <param name="Rankings">Rankings of two answers or more.</param>
/// <param name="Tied">Rankings in which no answer is better than another.</param>
/// <param name="WithMargin">Pairs whose margin is known.</param>
/// <param name="Scored">Answers with a score of their own.</param>
/// <param name="Desirable">Answers labelled good.</param>
/// <param name="Undesirable">Answers labelled bad.</param>
/// <param name="Prompts">Different prompts.</param>
public sealed record PreferenceFacts(int Pairs, int Rankings, int Tied, int WithMargin, int Scored, int Desirable, int Undesirable, int Prompts);

/// <summary>
/// Looks over preferences for what no row shows alone: answers preferred both ways, rankings that run in a circle
/// (A over B, B over C, C over A), one answer with two scores or two labels, pairs given twice. Such rows can be trained
/// on, and pull against each other; they are counted by reason before work starts.
/// </summary>
public sealed class PreferenceCheck
{
    private const string BothWays = "preferred both ways: another row of the same prompt says the opposite";
    private const string Circle = "in a circle of preferences (A over B, B over C, C over A)";

    /// <summary>The finding that contradicts nothing: a pair given twice.</summary>
    public const string Repeated = "the same pair again";

    private const string OtherMargin = "the same pair with another margin";
    private const string BothLabels = "the same answer labelled good and bad";
    private const string OtherScore = "the same answer with another score";

    private readonly Dictionary<UInt128, Dictionary<(UInt128 Better, UInt128 Worse), Edge>> _edges = [];
    private readonly Dictionary<UInt128, (bool Good, bool Bad, RowOrigin First)> _labels = [];
    private readonly Dictionary<UInt128, double> _scores = [];
    private readonly SortedDictionary<string, (int Rows, RowOrigin First)> _found = new(StringComparer.Ordinal);
    private readonly HashSet<UInt128> _prompts = [];
    private int _pairs, _rankings, _tied, _withMargin, _scored, _desirable, _undesirable;

    private sealed record Edge(double? Margin, List<RowOrigin> Rows);

    /// <summary>What was seen.</summary>
    public PreferenceFacts Facts => new(_pairs, _rankings, _tied, _withMargin, _scored, _desirable, _undesirable, _prompts.Count);

    /// <summary>Lets rows pass, and looks at each.</summary>
    public IEnumerable<T> Watch<T>(IEnumerable<T> rows)
        where T : DataRow
    {
        foreach (var row in rows)
        {
            Add(row);
            yield return row;
        }
    }

    /// <summary>Looks at a row; rows that are no preferences are passed over.</summary>
    public void Add(DataRow row)
    {
        switch (row)
        {
            case PreferenceRow pair:
                Pair(Hash(PreferenceForms.Key(pair.Prompt)), pair);
                break;
            case RankingRow ranking:
                var prompt = Hash(PreferenceForms.Key(ranking.Prompt));
                _prompts.Add(prompt);
                _rankings++;
                _tied += ranking.HasPreference ? 0 : 1;
                foreach (var pair in PreferenceForms.Pairs(ranking))
                    Pair(prompt, pair);
                break;
            case ScoredRow scored:
                _scored++;
                _prompts.Add(Hash(PreferenceForms.Key(PreferenceForms.PromptOf(scored.Conversation))));
                if (!_scores.TryAdd(Hash(PreferenceForms.Key(scored.Conversation)), scored.Score) && _scores[Hash(PreferenceForms.Key(scored.Conversation))] != scored.Score)
                    Count(OtherScore, row.Origin);
                break;
            case LabelledRow labelled:
                Label(labelled);
                break;
        }
    }

    /// <summary>Rows that contradict others, by reason; call it when all rows were seen.</summary>
    public IReadOnlyList<FaultCount> Findings()
    {
        var found = new SortedDictionary<string, (int Rows, RowOrigin First)>(_found, StringComparer.Ordinal);
        foreach (var edges in _edges.Values.Where(e => e.Count > 1))
        {
            var component = Components(edges.Keys);
            var sizes = component.Values.CountBy(c => c).ToDictionary();
            foreach (var ((better, worse), edge) in edges)
            {
                if (edges.ContainsKey((worse, better)))
                    Count(found, BothWays, edge);
                else if (component[better] == component[worse] && sizes[component[better]] > 2)
                    Count(found, Circle, edge);
            }
        }
        foreach (var (good, bad, first) in _labels.Values.Where(l => l is { Good: true, Bad: true }))
            Count(found, BothLabels, new Edge(null, [first]));
        return [.. found.OrderByDescending(f => f.Value.Rows).Select(f => new FaultCount(f.Key, f.Value.Rows, f.Value.First))];
    }

    /// <summary>The findings in words, for a stage's preflight.</summary>
    public IReadOnlyList<string> Warnings() =>
        [.. Findings().Select(f => FormattableString.Invariant($"{f.Rows} × {f.Reason} (first: {f.First})"))];

    private void Pair(UInt128 prompt, PreferenceRow pair)
    {
        _prompts.Add(prompt);
        _pairs++;
        _withMargin += pair.Margin is null ? 0 : 1;
        var edges = _edges.TryGetValue(prompt, out var known) ? known : _edges[prompt] = [];
        var key = (Hash(PreferenceForms.Key(pair.Chosen)), Hash(PreferenceForms.Key(pair.Rejected)));
        if (!edges.TryGetValue(key, out var edge))
            edges[key] = new Edge(pair.Margin, [pair.Origin]);
        else
        {
            edge.Rows.Add(pair.Origin);
            Count(edge.Margin == pair.Margin ? Repeated : OtherMargin, pair.Origin);
        }
    }

    private void Label(LabelledRow row)
    {
        _desirable += row.Desirable ? 1 : 0;
        _undesirable += row.Desirable ? 0 : 1;
        _prompts.Add(Hash(PreferenceForms.Key(PreferenceForms.PromptOf(row.Conversation))));
        var key = Hash(PreferenceForms.Key(row.Conversation));
        var (good, bad, first) = _labels.GetValueOrDefault(key, (false, false, row.Origin));
        _labels[key] = (good || row.Desirable, bad || !row.Desirable, first);
    }

    private void Count(string reason, RowOrigin where) =>
        _found[reason] = _found.TryGetValue(reason, out var known) ? (known.Rows + 1, known.First) : (1, where);

    private static void Count(SortedDictionary<string, (int Rows, RowOrigin First)> found, string reason, Edge edge) =>
        found[reason] = found.TryGetValue(reason, out var known) ? (known.Rows + edge.Rows.Count, known.First) : (edge.Rows.Count, edge.Rows[0]);

    /// <summary>The strongly connected component of each answer (Tarjan 1972), numbered; iterative, for a ranking may be long.</summary>
    private static Dictionary<UInt128, int> Components(IEnumerable<(UInt128 From, UInt128 To)> edges)
    {
        var next = edges.ToLookup(e => e.From, e => e.To);
        var (index, low, component) = (new Dictionary<UInt128, int>(), new Dictionary<UInt128, int>(), new Dictionary<UInt128, int>());
        var (open, work, components) = (new Stack<UInt128>(), new Stack<(UInt128 Node, IEnumerator<UInt128> Later)>(), 0);
        foreach (var root in edges.SelectMany(e => new[] { e.From, e.To }).Distinct())
        {
            if (!index.ContainsKey(root))
                Enter(root);
            while (work.TryPeek(out var top))
            {
                if (top.Later.MoveNext())
                {
                    var to = top.Later.Current;
                    if (!index.TryGetValue(to, out var seen))
                        Enter(to);
                    else if (!component.ContainsKey(to))
                        low[top.Node] = Math.Min(low[top.Node], seen);
                    continue;
                }
                work.Pop();
                if (work.TryPeek(out var above))
                    low[above.Node] = Math.Min(low[above.Node], low[top.Node]);
                if (low[top.Node] != index[top.Node])
                    continue;
                UInt128 member;
                do
                    component[member = open.Pop()] = components;
                while (member != top.Node);
                components++;
            }
        }
        return component;

        void Enter(UInt128 node)
        {
            low[node] = index[node] = index.Count;
            open.Push(node);
            work.Push((node, next[node].GetEnumerator()));
        }
    }

    private static UInt128 Hash(string text) => BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
}
