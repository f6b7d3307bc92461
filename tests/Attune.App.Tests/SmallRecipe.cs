namespace Attune.App.Tests;

/// <summary>The quickstart's path at a size of seconds: what it makes is worth nothing, how it makes it is the real thing.</summary>
internal static class SmallRecipe
{
    public const string Yaml = """
        - world:
            people: 24
            pretrain_tokens: 20000
            tokenizer_rows: 200
            instruct_rows: 60
            chat_rows: 40
            preference_rows: 24
            ranking_rows: 8
            valid_rows: 16
            bench_items: 8

        - pretrain:
            save_as: ${name}:base
            data: ["${world}/pretrain.jsonl"]
            validation: ["${world}/pretrain.valid.jsonl"]
            tokenizer_data: ["${world}/tokenizer.jsonl"]
            vocabulary_size: 512
            hidden_size: 32
            layers: 2
            heads: 2
            sequence_length: 128
            micro_batch_tokens: 512
            steps: 40
            optimiser: muon

        - sft:
            parent: ${name}:base
            save_as: ${name}:instruct
            data: ["${world}/sft.jsonl"]
            overlong: truncate
            micro_batch_tokens: 512
            steps: 30

        - dpo:
            parent: ${name}:instruct
            save_as: ${name}:chat
            data: ["${world}/preference.jsonl"]
            overlong: truncate
            micro_batch_pairs: 2
            steps: 30

        - compare:
            versions: ["${name}:base", "${name}:instruct", "${name}:chat"]
            items: 4
        """;

    /// <summary>The names of the versions that it makes.</summary>
    public static readonly string[] Versions = ["world:base", "world:instruct", "world:chat"];
}
