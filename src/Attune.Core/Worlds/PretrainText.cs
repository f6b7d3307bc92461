using System.Text;
using Attune.Core.Randomness;

namespace Attune.Core.Worlds;

/// <summary>One page of pretraining text.</summary>
/// <param name="Text">Plain text: no template, no instruction.</param>
/// <param name="Kind">biography, questions, reading, fallback, record, data, table, places or speech.</param>
public sealed record PretrainPage(string Text, string Kind);

/// <summary>
/// Pretraining text. Order is part of it: first short reading (one document and its questions), then one or two
/// documents and biographies, then the full mix. Without the first part reading starts to be learned a million tokens later.
/// </summary>
internal sealed class PretrainText
{
    private enum Part
    {
        Short,
        Medium,
        Full,
    }

    /// <summary>How a page lays out a question and its answer.</summary>
    private enum QuestionLayout
    {
        /// <summary>Each behind its label.</summary>
        Labelled,

        /// <summary>A question on one line, its answer on the next.</summary>
        Bare,

        /// <summary>The same, and the answer is the value alone.</summary>
        Short,
    }

    private readonly World _world;
    private readonly RandomStream _random;
    private readonly WorldOptions _options;
    private readonly WorldLanguage _language;

    private PretrainText(World world, string purpose)
    {
        _world = world;
        _random = world.Stream("pretrain", purpose);
        _options = world.Options;
        _language = world.Language;
    }

    /// <summary>The training file, as a curriculum.</summary>
    public static IEnumerable<PretrainPage> Train(World world) =>
        new PretrainText(world, "train").Pages(world.Options.PretrainTokens, world.Options.CurriculumShort, world.Options.CurriculumMedium);

    /// <summary>The validation file: the full mix, from a stream of its own.</summary>
    public static IEnumerable<PretrainPage> Valid(World world) =>
        new PretrainText(world, "valid").Pages(world.Options.PretrainTokens * world.Options.PretrainValidShare, 0, 0);

    /// <summary>Pages of the full mix without end, for a tokenizer to be trained on.</summary>
    public static IEnumerable<PretrainPage> Endless(World world) =>
        new PretrainText(world, "tokenizer").Pages(double.PositiveInfinity, 0, 0);

    private IEnumerable<PretrainPage> Pages(double tokens, double shortEnd, double mediumEnd)
    {
        var total = tokens * _language.CharactersPerToken;
        for (var written = 0.0; written < total;)
        {
            var done = written / total;
            var page = Page(done < shortEnd ? Part.Short : done < mediumEnd ? Part.Medium : Part.Full);
            written += page.Text.Length;
            yield return page;
        }
    }

    private PretrainPage Page(Part part)
    {
        if (part == Part.Short) return Reading(part);
        double[] weights =
        [
            _options.BiographyShare, _options.QuestionShare, _options.ReadingShare,
            part == Part.Full ? _options.RecordShare : 0, part == Part.Full ? _options.DataShare : 0, part == Part.Full ? _options.TableShare : 0,
            part == Part.Full ? _options.PlaceShare : 0, part == Part.Full ? _options.SpeechShare : 0,
        ];
        return Weighted.Pick(weights, _random) switch
        {
            0 => Biography(),
            1 => Questions(),
            2 => Reading(part),
            3 => Record(),
            4 => Data(),
            5 => Table(),
            6 => Places(),
            _ => Speech(),
        };
    }

    private PassageShape Shape(Part part) => part switch
    {
        Part.Short => new() { Split = WorldSplit.Train, MaxDocuments = 1, MaxFacts = 2 },
        Part.Medium => new() { Split = WorldSplit.Train, MaxDocuments = Math.Min(2, _options.MaxDocuments), MaxFacts = 2, Hard = _options.HardShare / 2 },
        _ => new()
        {
            Split = WorldSplit.Train,
            MaxDocuments = _options.MaxDocuments,
            MaxFacts = _options.MaxFacts,
            Hard = _options.HardShare,
            SharedName = _options.SharedNameShare,
        },
    };

    private PretrainPage Biography()
    {
        var person = _world.People.Draw(_random);
        var order = _random.Permutation(_language.Attributes.Count);
        return new(string.Join(_language.Join, order.Select(a => _world.State(person, a, WorldSplit.Train, _random))) + "\n", "biography");
    }

    private PretrainPage Questions()
    {
        var layout = Layout();
        var text = new StringBuilder();
        for (var i = 0; i < _options.QuestionsPerPage; i++)
        {
            var person = _world.People.Draw(WorldSplit.Train, _random);
            Question(text, person, _random.Next(_language.Attributes.Count), layout);
        }
        return new(text.ToString(), "questions");
    }

    private PretrainPage Reading(Part part)
    {
        var layout = part == Part.Full ? Layout() : QuestionLayout.Labelled;
        var fallback = _random.Chance(_options.FallbackShare) && part == Part.Full;
        var known = _random.Chance(_options.KnownDocumentShare) && part == Part.Full;
        var passage = Passage.Make(_world, Shape(part), _random, known && !fallback ? _world.People.Draw(WorldSplit.Train, _random) : null);
        var text = new StringBuilder(layout == QuestionLayout.Labelled ? passage.Labelled(_world) : passage.Bare() + "\n");
        var asked = part switch { Part.Short => 2, Part.Medium => 3, _ => _options.QuestionsPerPage };
        // A fact is asked once on a page: a repeated answer teaches copying the answer, not reading.
        var facts = passage.Documents.SelectMany(d => d.Attributes.Select(a => (d.Person, a))).ToArray();
        _random.Shuffle<(Person, int)>(facts);
        for (var i = 0; i < Math.Min(asked, fallback ? asked : facts.Length); i++)
        {
            var (person, attribute) = fallback && (i % 2 == 0 || i >= facts.Length)
                ? (_world.People.Draw(WorldSplit.Train, _random), _random.Next(_language.Attributes.Count))
                : facts[i];
            Question(text, person, attribute, layout);
        }
        return new(text.ToString(), fallback ? "fallback" : "reading");
    }

    // A record is written as people write it: on one line, or as a list.
    private PretrainPage Record()
    {
        var (passage, document, attributes) = FactsOfOne();
        var facts = attributes.Select(a => (_language.Attributes[a].Label, document.Person.Values[a])).Prepend((_language.Pages.Name, document.Person.Name));
        var pages = _language.Pages;
        var record = _random.Chance(0.5)
            ? pages.Record + Formats.Pairs(pages, facts) + pages.Stop
            : pages.Record.TrimEnd() + "\n" + Formats.List(pages, [.. facts]);
        return new(passage.Labelled(_world) + record + "\n", "record");
    }

    private PretrainPage Data()
    {
        var (passage, document, attributes) = FactsOfOne();
        var facts = attributes.Select(a => (_language.Attributes[a].Label, document.Person.Values[a])).Prepend((_language.Pages.Name, document.Person.Name));
        return new(passage.Labelled(_world) + _language.Pages.Data + Formats.Json([.. facts]) + "\n", "data");
    }

    private PretrainPage Table()
    {
        var columns = _random.Permutation(_language.Attributes.Count)[..2];
        var text = new StringBuilder();
        text.AppendJoin(_language.Pages.Cell, columns.Select(a => _language.Attributes[a].Label).Prepend(_language.Pages.Name)).Append('\n');
        for (var i = 0; i < 4; i++)
        {
            var person = _world.People.Draw(_random);
            text.AppendJoin(_language.Pages.Cell, columns.Select(a => person.Values[a]).Prepend(person.Name)).Append('\n');
        }
        return new(text.ToString(), "table");
    }

    // Code words are met here as plain facts, so that later stages need not teach the words themselves.
    private PretrainPage Places()
    {
        var secrets = _language.Secrets;
        var first = CodeWords.Draw(secrets, WorldSplit.Train, _random);
        (string Owner, string Word) second;
        do second = CodeWords.Draw(secrets, WorldSplit.Train, _random);
        while (second.Owner == first.Owner || second.Word == first.Word);
        var statements = new[] { CodeWords.Statement(secrets, first.Owner, first.Word), CodeWords.Statement(secrets, second.Owner, second.Word) };
        var text = new StringBuilder(_language.Pages.Document).AppendJoin(_language.Join, statements).Append('\n');
        var asked = _random.Next(2);
        for (var i = 0; i < 2; i++)
        {
            var at = (asked + i) % 2;
            Question(text, CodeWords.Ask(_language, WorldSplit.Train, _random, at == 0 ? first.Owner : second.Owner), statements[at], QuestionLayout.Labelled);
        }
        return new(text.ToString(), "places");
    }

    // Words that later system prompts ask for are met here first: a word that no text ever showed cannot be copied from a rule.
    private PretrainPage Speech()
    {
        var (words, said) = (_language.Tasks.RuleWords, _language.Speech);
        var speakers = new[] { _world.People.Fresh(NameUse.TrainDocument, _random).Name, _world.People.Fresh(NameUse.TrainDocument, _random).Name };
        if (speakers[0] == speakers[1]) speakers = speakers[..1];
        var heard = speakers.Select(speaker => (Speaker: speaker, Word: _random.Pick(words))).ToArray();
        string Fill(string pattern, (string Speaker, string Word) of) => Wordings.Fill(pattern, of.Speaker).Replace("{w}", of.Word, StringComparison.Ordinal);

        var text = new StringBuilder(_language.Pages.Document).AppendJoin(_language.Join, heard.Select(of => Fill(_random.Pick(said.Statements), of))).Append('\n');
        _random.Shuffle<(string, string)>(heard);
        foreach (var of in heard) Question(text, Fill(_random.Pick(said.Questions), of), Fill(said.Statements[0], of), QuestionLayout.Labelled);
        return new(text.ToString(), "speech");
    }

    private (Passage Passage, Document Document, int[] Attributes) FactsOfOne()
    {
        var passage = Passage.Make(_world, Shape(Part.Full) with { MaxDocuments = Math.Min(2, _options.MaxDocuments) }, _random);
        var document = _random.Pick(passage.Documents);
        int[] attributes = [.. document.Attributes];
        _random.Shuffle<int>(attributes);
        return (passage, document, attributes);
    }

    // Short answers are where a value first stands without a word before it, as it does in JSON, in lists and in one-word answers.
    private QuestionLayout Layout() => !_random.Chance(_options.FaqShare) ? QuestionLayout.Labelled
        : _random.Chance(_options.ShortAnswerShare) ? QuestionLayout.Short : QuestionLayout.Bare;

    private void Question(StringBuilder text, Person person, int attribute, QuestionLayout layout) => Question(text,
        _world.Ask(person, attribute, WorldSplit.Train, _random), layout == QuestionLayout.Short ? person.Values[attribute] : _world.Answer(person, attribute), layout);

    private void Question(StringBuilder text, string question, string answer, QuestionLayout layout)
    {
        var pages = _language.Pages;
        if (layout == QuestionLayout.Labelled) text.Append(pages.Question).Append(question).Append('\n').Append(pages.Answer).Append(pages.AnswerGap).Append(answer).Append('\n');
        else text.Append(question).Append('\n').Append(answer).Append('\n');
    }
}
