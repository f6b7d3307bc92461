using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Attune.Prompts;

namespace Attune.Core.Data;

/// <summary>Looks into data files before anybody trains on them: formats, faults, lengths, roles, languages, duplicates, overlap with test files.</summary>
public static partial class DataInspector
{
    private const int ExcerptCharacters = 80;

    /// <summary>Reads every file once. Rows at fault are counted, not refused.</summary>
    /// <param name="options">Files and thresholds.</param>
    /// <param name="encoder">Counts tokens, or null.</param>
    /// <param name="cancellation">Stops the reading.</param>
    /// <exception cref="DataException">A whole file is at fault: ATT3001 to ATT3005, ATT3009.</exception>
    public static InspectReport Inspect(InspectOptions options, ITokenEncoder? encoder = null, CancellationToken cancellation = default)
    {
        var overlap = options.Test.Count > 0 ? new Overlap(options.OverlapWords) : null;
        var tests = options.Test.Select(file => File(file, options.Window, encoder, cancellation, row => overlap!.AddTest(row.Origin, Text(row, withSystem: false)))).ToList();

        var duplicates = new Duplicates(options);
        var files = options.Data.Select(file => File(file, options.Window, encoder, cancellation, row =>
        {
            duplicates.Add(row.Origin, Text(row, withSystem: true));
            overlap?.AddTrain(row.Origin, Text(row, withSystem: false));
        })).ToList();

        return new InspectReport
        {
            Files = files,
            TestFiles = tests,
            Exact = duplicates.Exact,
            Near = duplicates.Near,
            Overlap = overlap?.Report(options.Examples),
        };
    }

    private const string LongPrompt = "a prompt that fills the window, template not counted";

    private static FileReport File(string path, int window, ITokenEncoder? encoder, CancellationToken cancellation, Action<DataRow> each)
    {
        var (tally, format) = (new RowTally(), DataFormat.Detect(path));
        var (characters, tokens, scratch) = (new List<int>(), new List<int>(), new List<EncodedToken>());
        var (roles, languages, kinds) = (Counts(), Counts(), Counts());
        var check = new PreferenceCheck();
        foreach (var row in DataReader.Read(path, BadRows.Drop, tally))
        {
            cancellation.ThrowIfCancellationRequested();
            var text = Text(row, withSystem: true);
            if (row is TextRow { Opens: false })
                characters[^1] += text.Length;
            else
                characters.Add(text.Length);
            Count(languages, RoughLanguage.Of(text));
            foreach (var message in Messages(row))
                Count(roles, message.Role);
            if (row.Origin.Kind is { } kind)
                Count(kinds, kind);
            check.Add(row);
            if (encoder is not null)
            {
                tokens.AddRange(new int[characters.Count - tokens.Count]);
                tokens[^1] += Length(encoder, text, scratch);
                if (window > 0 && row is not TextRow && Length(encoder, string.Join('\n', Prompt(row).Select(m => m.Content ?? Called(m))), scratch) >= window)
                    tally.Truncate(LongPrompt, row.Origin);
            }
            each(row);
        }
        return new FileReport
        {
            File = path,
            Format = format,
            Rows = characters.Count,
            Faults = [.. tally.Dropped.OrderByDescending(f => f.Value).Select(f => new FaultCount(f.Key, f.Value, tally.First[f.Key]))],
            Contradictions = [.. check.Findings(), .. tally.Truncated.Select(t => new FaultCount(t.Key, t.Value, tally.First[t.Key]))],
            Preferences = check.Facts is { Prompts: > 0 } facts ? facts : null,
            Characters = LengthStats.Of(characters),
            Tokens = LengthStats.Of(tokens),
            Roles = roles,
            Languages = languages,
            Kinds = kinds,
        };
    }

    private static int Length(ITokenEncoder encoder, string text, List<EncodedToken> scratch)
    {
        scratch.Clear();
        encoder.Encode(text, [new TextSpan(0, text.Length)], scratch);
        return scratch.Count;
    }

    private static IEnumerable<Message> Messages(DataRow row) => row switch
    {
        PreferenceRow pair => [.. Prompt(row), .. pair.Chosen, .. pair.Rejected],
        RankingRow ranking => [.. Prompt(row), .. ranking.Responses.SelectMany(r => r)],
        ConversationRow talk => talk.Conversation.Messages,
        LabelledRow talk => talk.Conversation.Messages,
        ScoredRow talk => talk.Conversation.Messages,
        _ => Prompt(row),
    };

    private static IReadOnlyList<Message> Prompt(DataRow row) => row switch
    {
        PreferenceRow pair => pair.Prompt.Messages,
        RankingRow ranking => ranking.Prompt.Messages,
        PromptRow prompt => prompt.Prompt.Messages,
        ConversationRow talk => PreferenceForms.PromptOf(talk.Conversation).Messages,
        LabelledRow talk => PreferenceForms.PromptOf(talk.Conversation).Messages,
        ScoredRow talk => PreferenceForms.PromptOf(talk.Conversation).Messages,
        _ => [],
    };

    // System prompts are shared by design: for overlap they do not count.
    private static string Text(DataRow row, bool withSystem) => row is TextRow text
        ? text.Text
        : string.Join('\n', Messages(row).Where(m => withSystem || m.Role != Turns.System).Select(m => m.Content ?? Called(m)));

    private static string? Called(Message message) => (message.Fields?["tool_calls"] ?? message.Fields?["content"])?.ToJsonString();

    private static SortedDictionary<string, int> Counts() => new(StringComparer.Ordinal);

    private static void Count(SortedDictionary<string, int> counts, string key) => counts[key] = counts.GetValueOrDefault(key) + 1;

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex WhiteSpace();

    private sealed class Duplicates(InspectOptions options)
    {
        private readonly Dictionary<UInt128, RowOrigin> _first = [];
        private readonly HashSet<UInt128> _repeated = [];
        private readonly NearDuplicates _near = new(options.Seed, options.Similarity);
        private readonly List<(RowOrigin Origin, int Group)> _rows = [];
        private readonly HashSet<int> _nearGroups = [];
        private readonly List<DuplicateExample> _exactExamples = [], _nearExamples = [];
        private int _exactExtra, _nearExtra;

        public DuplicateReport Exact => new(_repeated.Count, _exactExtra, _exactExamples);

        public DuplicateReport Near => new(_nearGroups.Count, _nearExtra, _nearExamples);

        public void Add(RowOrigin origin, string text)
        {
            var key = Key(text);
            if (!_first.TryAdd(key, origin))
            {
                _repeated.Add(key);
                _exactExtra++;
                Example(_exactExamples, _first[key], origin, 1, text);
                return;
            }
            // A near duplicate joins the group of the row that it is nearest to.
            var match = _near.Add(Words.Of(text));
            _rows.Add((origin, match is { } m ? _rows[m.Row].Group : _rows.Count));
            if (match is not var (row, similarity))
                return;
            _nearGroups.Add(_rows[row].Group);
            _nearExtra++;
            Example(_nearExamples, _rows[row].Origin, origin, similarity, text);
        }

        private void Example(List<DuplicateExample> examples, RowOrigin first, RowOrigin second, double similarity, string text)
        {
            if (examples.Count < options.Examples)
                examples.Add(new DuplicateExample(first, second, similarity, WhiteSpace().Replace(text[..Math.Min(text.Length, ExcerptCharacters)], " ")));
        }

        // Equal but for case, width (NFKC) and white space.
        private static UInt128 Key(string text)
        {
            var normal = WhiteSpace().Replace(text.Normalize(NormalizationForm.FormKC).ToLowerInvariant(), " ").Trim();
            return System.Buffers.Binary.BinaryPrimitives.ReadUInt128LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(normal)));
        }
    }
}
