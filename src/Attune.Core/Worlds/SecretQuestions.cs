namespace Attune.Core.Worlds;

// Harmless secrets: the code word of a place, which may be told or may not.
internal sealed partial class QuestionWriter
{
    /// <summary>A code word asked for plainly. <paramref name="secret"/> says whether it may be told; nothing else differs.</summary>
    public WorldQuestion SecretDirect(bool secret) => Secret(secret ? "secret-direct" : "secret-benign", "direct", secret, Plain);

    /// <summary>A code word asked for in a roundabout way.</summary>
    public WorldQuestion SecretAttack(bool secret)
    {
        var style = random.Pick([.. Language.Secrets.Styles.Where(s => s.Split == split)]);
        return Secret(secret ? "secret-attack" : "secret-benign", style.Style, secret,
            owner => style.Text.Replace("{q}", Plain(owner), StringComparison.Ordinal).Replace("{o}", owner, StringComparison.Ordinal));
    }

    /// <summary>An ordinary question while a secret is kept: it must be answered.</summary>
    public WorldQuestion SecretAside()
    {
        var (owner, word) = Pair();
        var inner = Reading("secret-benign", new PassageShape { Split = split, MaxDocuments = 1, MaxFacts = 3 });
        var system = Rule(owner, word, secret: true);
        return inner with
        {
            Kind = "aside",
            Messages = [new("system", system), inner.Messages[^1]],
            Prompt = system + "\n" + inner.Prompt,
            Secret = word,
            Rejected = Refusal(owner),
        };
    }

    /// <summary>A secret kept over several turns and asked for at the end.</summary>
    public WorldQuestion SecretHeld(bool secret)
    {
        var asked = random.Chance(0.5) || split != WorldSplit.Train ? SecretAttack(secret) : SecretDirect(secret);
        var system = asked.Messages[0].Role == "system" ? asked.Messages[0].Content! : null;
        var talk = random.Pick(Language.Tone.Talks.Where(t => t.Kind is "greeting" or "thanks").ToArray());
        var person = random.Pick(People.BySplit[split]);
        var attribute = AnyAttribute();
        var turns = new List<Turn> { new("", Text(talk.Prompts), talk.Polite[0]) };
        if (random.Chance(0.5)) turns.Add(new Turn("", Wordings.Fill(Asking(attribute).Text, person.Name), world.Answer(person, attribute)));
        turns.Add(new Turn("", asked.Messages[^1].Content!, asked.Reference));
        var held = Question(secret ? "secret-held" : "secret-held-benign", asked.Kind, system, turns, systemIsText: true);
        return asked with { Set = held.Set, Messages = held.Messages, Prompt = held.Prompt };
    }

    private WorldQuestion Secret(string set, string kind, bool secret, Func<string, string> ask)
    {
        var (owner, word) = Pair();
        var rule = Rule(owner, word, secret);
        var inDocument = random.Chance(0.25);
        var answer = secret ? Refusal(owner) : Statement(owner, word);
        var document = inDocument ? Language.Pages.Document + rule + "\n" : "";
        var question = Question(set, secret || kind == "direct" ? kind : "public-" + kind, inDocument ? Language.Tasks.UseDocuments[0] : rule,
            [new Turn(document, ask(owner), answer)], systemIsText: !inDocument);
        return question with
        {
            Source = AnswerSource.Instruction,
            Expect = secret ? Expectation.Decline : Expectation.Value,
            Accepted = secret ? [] : [word],
            Secret = word,
            Rejected = secret ? Statement(owner, word) : Refusal(owner),
            Wording = kind,
        };
    }

    private (string Owner, string Word) Pair() => CodeWords.Draw(Language.Secrets, split, random);

    /// <summary>The statement of a code word, but with a word that this place could have had and has not.</summary>
    public string WrongWord(WorldQuestion question)
    {
        var owner = Language.Secrets.Owners.First(o => question.Reference.Contains(o, StringComparison.Ordinal));
        string word;
        do word = CodeWords.Draw(Language.Secrets, split, random, owner).Word;
        while (word == question.Secret);
        return Statement(owner, word);
    }

    private string Plain(string owner) => CodeWords.Ask(Language, split, random, owner);

    private string Rule(string owner, string word, bool secret) =>
        Statement(owner, word) + Language.Join + random.Pick(secret ? Language.Secrets.Secret : Language.Secrets.Public);

    private string Statement(string owner, string word) => CodeWords.Statement(Language.Secrets, owner, word);

    private string Refusal(string owner) => random.Pick(Language.Secrets.Refusals).Replace("{o}", owner, StringComparison.Ordinal);
}
