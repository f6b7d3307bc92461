using System.Text.Json.Nodes;
using Attune.Core.Checkpoints;
using Attune.Core.Options;
using Attune.Core.Worlds;
using Attune.Prompts;

namespace Attune.App.Recipes;

/// <summary>A world written to a folder. Its options stand in world.json, which is written last and says that all is there.</summary>
internal static class WorldFolder
{
    private const string Marker = "world.json";

    /// <summary>Writes a world.</summary>
    public static IReadOnlyList<WorldFile> Write(WorldOptions options, string folder, CancellationToken cancel)
    {
        var files = WorldExport.Write(World.Create(options), folder, cancel);
        Atomic.WriteAllText(Path.Combine(folder, Marker), OptionsBinder.ToJson(options).ToJsonString(new() { WriteIndented = true }));
        return files;
    }

    /// <summary>Whether the folder holds this very world.</summary>
    /// <exception cref="AttuneException">ATT4102: it holds another one.</exception>
    public static bool Holds(string folder, WorldOptions options)
    {
        var marker = Path.Combine(folder, Marker);
        if (!File.Exists(marker))
            return false;
        if (OptionsBinder.ToJson(Read(folder)) is var found && JsonNode.DeepEquals(found, OptionsBinder.ToJson(options)))
            return true;
        throw new AttuneException("ATT4102", "The folder holds another world.")
        {
            File = marker,
            Hint = "Give another --out, or --restart to throw away what it holds.",
        };
    }

    /// <summary>The options of the world in a folder.</summary>
    /// <exception cref="AttuneException">ATT4105: there is no world in it.</exception>
    public static WorldOptions Read(string folder)
    {
        var marker = Path.Combine(folder, Marker);
        return File.Exists(marker)
            ? OptionsBinder.FromJson<WorldOptions>(JsonNode.Parse(File.ReadAllText(marker))!.AsObject(), marker)
            : throw new AttuneException("ATT4105", "There is no world in this folder.")
            {
                File = marker,
                Hint = "./attune quickstart writes one under runs/; ./attune data world FOLDER writes one alone.",
            };
    }
}
