namespace Attune.Core.Tokens.PostProcessors;

/// <summary>Reads the post_processor of tokenizer.json, as far as it concerns single texts.</summary>
internal static class PostProcessorReader
{
    public static PostProcessor? Read(JsonField field) => field.IsNull ? null : ReadOne(field);

    private static PostProcessor ReadOne(JsonField field)
    {
        var kind = field["type"].Text();
        switch (kind)
        {
            case "Sequence":
                return new PostProcessorSequence([.. field["processors"].Items().Select(ReadOne)]);
            case "ByteLevel":
                return field["trim_offsets"].Flag(true) ? new TrimRanges(field["add_prefix_space"].Flag(true)) : new PostProcessorSequence([]);
            case "TemplateProcessing":
                return ReadTemplate(field);
            case "BertProcessing":
                return new Surround([PairId(field["cls"])], [PairId(field["sep"])]);
            case "RobertaProcessing":
                var around = new Surround([PairId(field["cls"])], [PairId(field["sep"])]);
                return field["trim_offsets"].Flag(true)
                    ? new PostProcessorSequence([new TrimRanges(field["add_prefix_space"].Flag(true)), around])
                    : around;
            default:
                throw field["type"].Unsupported(kind);
        }
    }

    private static Surround ReadTemplate(JsonField field)
    {
        var ids = new Dictionary<string, int[]>(StringComparer.Ordinal);
        foreach (var (name, token) in field["special_tokens"].Members())
            ids[name] = [.. token["ids"].Items().Select(i => i.Id())];
        var (before, after) = (new List<int>(), new List<int>());
        var current = before;
        foreach (var piece in field["single"].Items())
        {
            if (!piece["SpecialToken"].IsNull)
            {
                var name = piece["SpecialToken"]["id"].Text();
                current.AddRange(ids.TryGetValue(name, out var known) ? known : throw piece["SpecialToken"].Bad($"'{name}' is not among special_tokens."));
            }
            else if (ReferenceEquals(current, before))
            {
                current = after;
            }
            else
            {
                throw piece.Bad("The text stands here twice.");
            }
        }
        return ReferenceEquals(current, after) ? new Surround(before, after) : throw field["single"].Bad("The text itself is missing.");
    }

    private static int PairId(JsonField field)
    {
        var pair = field.Items().ToArray();
        return pair.Length == 2 ? pair[1].Id() : throw field.Bad("A text and an id are expected here.");
    }
}
