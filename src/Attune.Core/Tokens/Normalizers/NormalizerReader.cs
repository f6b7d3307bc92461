using System.Text;
using Attune.Core.Tokens.Patterns;

namespace Attune.Core.Tokens.Normalizers;

/// <summary>Reads the normalizer of tokenizer.json.</summary>
internal static class NormalizerReader
{
    public static Normalizer? Read(JsonField field) => field.IsNull ? null : ReadOne(field);

    private static Normalizer ReadOne(JsonField field)
    {
        var kind = field["type"].Text();
        return kind switch
        {
            "Sequence" => new NormalizerSequence([.. field["normalizers"].Items().Select(ReadOne)]),
            "NFC" => new UnicodeForm(NormalizationForm.FormC),
            "NFD" => new UnicodeForm(NormalizationForm.FormD),
            "NFKC" => new UnicodeForm(NormalizationForm.FormKC),
            "NFKD" => new UnicodeForm(NormalizationForm.FormKD),
            "Lowercase" => new Lowercase(),
            "Prepend" => new Prepend(field["prepend"].Text()),
            "Replace" => new Replace(PatternReader.Read(field["pattern"]), field["content"].Text()),
            "Strip" => new Strip(field["strip_left"].Flag(), field["strip_right"].Flag()),
            "StripAccents" => new StripAccents(),
            "Precompiled" => new PrecompiledMap(field["precompiled_charsmap"]),
            "ByteLevel" => new ByteLevelNormalizer(),
            "BertNormalizer" => new BertNormalizer(
                field["clean_text"].Flag(true), field["handle_chinese_chars"].Flag(true),
                field["strip_accents"].Flag(field["lowercase"].Flag(true)), field["lowercase"].Flag(true)),
            _ => throw field["type"].Unsupported(kind),
        };
    }
}
