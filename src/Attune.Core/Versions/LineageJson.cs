using System.Text.Json;
using System.Text.Json.Nodes;

namespace Attune.Core.Versions;

/// <summary>A lineage record as the JSON that a version's config blob holds.</summary>
public static class LineageJson
{
    /// <summary>The newest layout that this code reads.</summary>
    public const int NewestSchema = 1;

    /// <summary>To JSON; what is null is left out.</summary>
    public static JsonObject ToJson(Lineage lineage)
    {
        var json = new JsonObject
        {
            ["schema"] = lineage.Schema,
            ["stage"] = lineage.Stage,
            ["options"] = lineage.Options.DeepClone(),
            ["data"] = new JsonArray([.. lineage.Data.Select(d => (JsonNode)new JsonObject { ["name"] = d.Name, ["digest"] = d.Digest, ["rows"] = d.Rows })]),
            ["seed"] = lineage.Seed,
            ["code_version"] = lineage.CodeVersion,
            ["facts"] = lineage.Facts.DeepClone(),
        };
        foreach (var (key, value) in ((string, string?)[])[("parent", lineage.Parent), ("kernels", lineage.Kernels), ("contract", lineage.Contract)])
        {
            if (value is not null)
                json[key] = value;
        }
        return json;
    }

    /// <summary>From JSON.</summary>
    /// <exception cref="StoreException">ATT2052: written by a newer Attune; ATT2056: not a lineage record.</exception>
    public static Lineage Read(ReadOnlySpan<byte> json, string path)
    {
        try
        {
            var record = JsonNode.Parse(json)!.AsObject();
            if (record["schema"]!.GetValue<int>() is var schema && schema > NewestSchema)
            {
                throw new StoreException("ATT2052", FormattableString.Invariant($"The lineage has layout {schema}; this Attune reads up to {NewestSchema}."))
                {
                    File = path,
                    Field = "schema",
                    Hint = "Use a newer Attune.",
                };
            }
            return new()
            {
                Schema = schema,
                Parent = (string?)record["parent"],
                Stage = record["stage"]!.GetValue<string>(),
                Options = record["options"]!.DeepClone().AsObject(),
                Data = [.. record["data"]!.AsArray().Select(d => new DataDigest(d!["name"]!.GetValue<string>(), d["digest"]!.GetValue<string>(), d["rows"]!.GetValue<long>()))],
                Seed = record["seed"]!.GetValue<long>(),
                CodeVersion = record["code_version"]!.GetValue<string>(),
                Kernels = (string?)record["kernels"],
                Contract = (string?)record["contract"],
                Facts = record["facts"]!.DeepClone().AsObject(),
            };
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException or FormatException)
        {
            throw new StoreException("ATT2056", "This is not a lineage record.", e) { File = path, Hint = "Run: attune versions verify" };
        }
    }
}
