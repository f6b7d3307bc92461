using System.Text.Json;
using Attune.Core.Worlds;
using Xunit;

namespace Attune.Core.Tests.Worlds;

/// <summary>A small world of each language, written once for all tests.</summary>
internal static class WorldFixture
{
    public static TheoryData<string> Languages => [.. WorldLanguage.All.Select(l => l.Code)];

    private static readonly Dictionary<string, Lazy<(World World, string Folder)>> Written =
        WorldLanguage.All.ToDictionary(l => l.Code, l => new Lazy<(World, string)>(() => Write(Options(l.Code))));

    public static WorldOptions Options(string language) => WorldOptions.Tiny(language) with
    {
        People = 48,
        PretrainTokens = 120_000,
        TokenizerRows = 300,
        InstructRows = 800,
        ChatRows = 400,
        PreferenceRows = 800,
        RankingRows = 300,
        ValidRows = 100,
        BenchItems = 60,
        // Kinds that the plain world leaves out must be apart as well.
        FallbackShare = 0.1,
        InstructConflictShare = 0.2,
    };

    public static (World World, string Folder) Of(string language) => Written[language].Value;

    public static (World World, string Folder) Write(WorldOptions options)
    {
        var world = World.Create(options);
        var folder = Directory.CreateTempSubdirectory("attune-world-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => { try { Directory.Delete(folder, recursive: true); } catch (IOException) { } };
        WorldExport.Write(world, folder);
        return (world, folder);
    }

    public static IEnumerable<JsonElement> Rows(string folder, string file) =>
        File.ReadLines(Path.Combine(folder, file)).Select(line => JsonSerializer.Deserialize<JsonElement>(line));

    /// <summary>Every string value of a row, keys left out.</summary>
    public static IEnumerable<string> Strings(JsonElement row) => row.ValueKind switch
    {
        JsonValueKind.String => [row.GetString()!],
        JsonValueKind.Array => row.EnumerateArray().SelectMany(Strings),
        JsonValueKind.Object => row.EnumerateObject().SelectMany(p => Strings(p.Value)),
        _ => [],
    };
}
