using System.Globalization;
using System.Text.Json.Nodes;
using Attune.Core.Data;
using Attune.Core.Evaluation;
using Attune.Core.Versions;
using Attune.Torch.Stages;

namespace Attune.App.Alignment;

/// <summary>What a loss on new texts is held against.</summary>
/// <param name="Of">Whose it is, in words.</param>
/// <param name="Loss">Nats a token of the same tokenizer.</param>
internal sealed record KnownLoss(string Of, double Loss)
{
    /// <summary>What the version, or the nearest of those before it, recorded at the end of its pretraining; null where none did: what was imported says nothing.</summary>
    public static KnownLoss? Recorded(ModelStore store, ModelVersion version)
    {
        var known = store.List().ToDictionary(v => v.Digest, StringComparer.Ordinal);
        for (var at = version; at is not null; at = known.GetValueOrDefault(at.Lineage.Parent ?? ""))
        {
            if (at.Lineage.Stage != "pretrain")
                continue;
            var facts = at.Lineage.Facts;
            return (double?)facts["validation_loss"] is { } held ? new($"held-out texts of its pretraining ({at.ShortDigest})", held)
                : (double?)facts["loss"] is { } last ? new($"the last texts of its pretraining ({at.ShortDigest})", last)
                : null;
        }
        return null;
    }
}

/// <summary>How new texts are to a version: what they cost it, beside what its own texts did, and how its tokenizer cuts them. It decides nothing; it says what to expect.</summary>
/// <param name="BitsPerByte">Surprise, whatever the tokenizer.</param>
/// <param name="Loss">Nats a token.</param>
/// <param name="TokensPerCharacter">Above one, the tokenizer was not made for these characters.</param>
/// <param name="Texts">Texts looked at.</param>
/// <param name="Known">What it is held against; null where nothing is recorded.</param>
internal sealed record TextNewness(double BitsPerByte, double Loss, double TokensPerCharacter, int Texts, KnownLoss? Known)
{
    private const int Looked = 64, Characters = 4000;
    // A tenth above what its own texts cost is more than texts of one source differ by.
    private const double New = 1.1;

    /// <summary>Measures it on a few texts.</summary>
    public static TextNewness Of(ModelVersion version, KnownLoss? known, IReadOnlyList<TextRow> texts, int window, CancellationToken cancel)
    {
        TextRow[] some = [.. texts.Take(Looked).Select(t => t with { Text = string.Concat(t.Text.EnumerateRunes().Take(Characters)) })];
        var scored = TextSurprise.Of(version.Files, some, window, cancel);
        double tokens = scored.Sum(s => (long)s.Tokens), surprise = scored.Sum(s => s.Surprise);
        return new(surprise / Math.Log(2) / scored.Sum(s => s.Bytes), surprise / tokens, tokens / some.Sum(t => (long)t.Text.EnumerateRunes().Count()), some.Length, known);
    }

    /// <summary>In words.</summary>
    public string Describe()
    {
        var held = Known is null ? "there is no figure of its own texts to hold that against"
            : string.Create(CultureInfo.InvariantCulture, $"{Known.Of} cost {Known.Loss:F2}: {(Loss > New * Known.Loss ? "these are new to it" : "these are not new to it")}");
        var cut = TokensPerCharacter > 1 ? "; its tokenizer makes more tokens than characters of them, and was not made for their script" : "";
        return string.Create(CultureInfo.InvariantCulture, $"the texts cost the version {BitsPerByte:F2} bits a byte, {Loss:F2} nats a token, {TokensPerCharacter:F2} tokens a character ({Texts} looked at); {held}{cut}");
    }

    /// <summary>For the report.</summary>
    public JsonObject ToJson() => new()
    {
        ["bits_per_byte"] = AlignReport.Finite(BitsPerByte),
        ["loss"] = AlignReport.Finite(Loss),
        ["tokens_per_character"] = AlignReport.Finite(TokensPerCharacter),
        ["n"] = Texts,
        ["known_loss"] = Known?.Loss,
        ["known_of"] = Known?.Of,
        ["new"] = Known is null ? null : Loss > New * Known.Loss,
    };
}
