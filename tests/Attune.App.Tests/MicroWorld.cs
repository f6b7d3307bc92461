using Attune.App.Recipes;

namespace Attune.App.Tests;

/// <summary>The smallest world with a Base and an Instruct version that the real recipe makes; once for all tests.</summary>
internal static class MicroWorld
{
    /// <summary>The collection of tests that train in this process: one after the other, for libtorch's threads are the process's.</summary>
    public const string Trains = "trains in this process";

    private const string Recipe = """
        - world: { people: 16, pretrain_tokens: 20000, tokenizer_rows: 200, instruct_rows: 160, chat_rows: 20, preference_rows: 64, ranking_rows: 24, valid_rows: 10, bench_items: 8 }
        - pretrain:
            save_as: ${name}:base
            data: ["${world}/pretrain.jsonl"]
            tokenizer_data: ["${world}/tokenizer.jsonl"]
            word_split: gpt2
            vocabulary_size: 600
            hidden_size: 32
            layers: 1
            heads: 2
            intermediate_size: 64
            sequence_length: 1024
            steps: 8
        - sft: { parent: "${name}:base", save_as: "${name}:instruct", data: ["${world}/sft.jsonl"], contract: chatml, sequence_length: 1024, overlong: drop, steps: 8, learning_rate: 0.01 }
        """;

    private static readonly Lazy<(string World, string Store)> Made = new(Make);

    /// <summary>Folder of the world.</summary>
    public static string World => Made.Value.World;

    /// <summary>Store with world:base and world:instruct.</summary>
    public static string Store => Made.Value.Store;

    private static (string World, string Store) Make()
    {
        var folder = Directory.CreateTempSubdirectory("attune-micro-").FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => Directory.Delete(folder, recursive: true);
        var recipe = Path.Combine(folder, "micro.yaml");
        File.WriteAllText(recipe, Recipe);
        new RecipeRunner(new RecipePlace { Recipe = recipe, Out = Path.Combine(folder, "run"), Store = Path.Combine(folder, "models"), Language = "en", Seed = 7, Threads = 1 }).Run(CancellationToken.None);
        return (Path.Combine(folder, "run", "world"), Path.Combine(folder, "models"));
    }
}
