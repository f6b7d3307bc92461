using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;
using Attune.Core.Options;
using Xunit;

namespace Attune.Core.Tests.Options;

public sealed record InnerOptions
{
    [Description("Step size."), Range(0, 1, MinimumIsExclusive = true)]
    public double LearningRate { get; init; } = 3e-4;

    [Description("Momentum.")]
    public double? Momentum { get; init; }
}

public enum PackMode { BestFit, FileOrder, None }

public sealed record SampleOptions
{
    [Description("Files to read.")]
    public required IReadOnlyList<string> Data { get; init; }

    [Description("Steps.")]
    public int Steps { get; init; } = 100;

    [Description("Tokens in all.")]
    public long? MaxTokens { get; init; }

    [Description("Packing.")]
    public PackMode Packing { get; init; }

    [Description("Time between checkpoints.")]
    public TimeSpan SaveEvery { get; init; } = TimeSpan.FromMinutes(20);

    [Description("Stop early.")]
    public bool EarlyStop { get; init; }

    [Description("A note.")]
    public string? Note { get; init; }

    [Description("The optimiser.")]
    public InnerOptions Optimizer { get; init; } = new();
}

public class OptionsSchemaTests
{
    [Fact]
    public void One_member_has_three_spellings()
    {
        var fields = OptionsSchema.Of<SampleOptions>();
        var field = Assert.Single(fields, f => f.Name == "MaxTokens");
        Assert.Equal(("max_tokens", "--max-tokens", OptionKind.Integer, true), (field.Key, field.Flag, field.Kind, field.Nullable));
        var leaf = Assert.Single(OptionsSchema.Leaves<SampleOptions>(), f => f.Name == "LearningRate");
        Assert.Equal(("optimizer.learning_rate", "--optimizer-learning-rate", "0.0003"), (leaf.Path, leaf.Flag, leaf.DefaultText));
        Assert.Equal(["best_fit", "file_order", "none"], fields.Single(f => f.Name == "Packing").Choices);
        Assert.True(fields[0].Required);
        Assert.Equal("20m", fields.Single(f => f.Name == "SaveEvery").DefaultText);
    }

    [Theory]
    [InlineData("LearningRate", "learning_rate")]
    [InlineData("TopP", "top_p")]
    [InlineData("KLCoefficient", "kl_coefficient")]
    [InlineData("Beta2", "beta2")]
    [InlineData("Id", "id")]
    public void Keys_are_snake_case(string name, string key) => Assert.Equal(key, OptionText.Key(name));

    private sealed record Undescribed
    {
        public int Steps { get; init; }
    }

    [Fact]
    public void A_member_without_a_description_is_a_fault_of_ours() =>
        Assert.Throws<InvalidOperationException>(() => OptionsSchema.Of<Undescribed>());
}

public class OptionsBinderTests
{
    private const string Yaml = """
        data: [a.jsonl, b.jsonl]
        steps: 7
        packing: file_order
        save_every: 1h30m
        early_stop: true
        optimizer:
          learning_rate: 1e-3
        """;

    [Fact]
    public void Yaml_binds_and_json_brings_it_back()
    {
        var options = OptionsBinder.FromYaml<SampleOptions>(Yaml, "r.yaml");
        Assert.Equal(["a.jsonl", "b.jsonl"], options.Data);
        Assert.Equal((7, PackMode.FileOrder), (options.Steps, options.Packing));
        Assert.Equal((TimeSpan.FromMinutes(90), true, 1e-3, null), (options.SaveEvery, options.EarlyStop, options.Optimizer.LearningRate, options.Note));

        var json = OptionsBinder.ToJson(options).ToJsonString();
        Assert.Equal("""{"data":["a.jsonl","b.jsonl"],"steps":7,"max_tokens":null,"packing":"file_order","save_every":"1h30m","early_stop":true,"note":null,"optimizer":{"learning_rate":0.001,"momentum":null}}""", json);
        var back = OptionsBinder.FromJson<SampleOptions>(OptionsBinder.ToJson(options), "lineage");
        Assert.Equal(json, OptionsBinder.ToJson(back).ToJsonString());
    }

    [Fact]
    public void Flags_lie_over_the_recipe_over_the_preset()
    {
        var preset = new SampleOptions { Data = ["p"], Steps = 1, Note = "preset", Optimizer = new() { LearningRate = 0.5, Momentum = 0.9 } };
        var flags = new Dictionary<string, object?> { ["--optimizer-learning-rate"] = "0.25", ["steps"] = 3 };
        var options = OptionsBinder.Bind(preset, OptionLayer.FromYaml("steps: 2\nmax_tokens: 5\noptimizer: { momentum: none }", "r.yaml"), OptionLayer.FromValues(flags, "command line"));
        Assert.Equal((3, 5L, "preset", 0.25, (double?)null), (options.Steps, options.MaxTokens, options.Note, options.Optimizer.LearningRate, options.Optimizer.Momentum));
        Assert.Equal((1, 0.5, 0.9), (preset.Steps, preset.Optimizer.LearningRate, preset.Optimizer.Momentum));
    }

    [Fact]
    public void A_required_option_may_come_from_any_layer()
    {
        var flags = OptionLayer.FromValues(new Dictionary<string, object?> { ["--data"] = new[] { "x" } }, "command line");
        Assert.Equal(["x"], OptionsBinder.Bind<SampleOptions>(null, OptionLayer.FromYaml("steps: 2", "r.yaml"), flags).Data);
        var error = Assert.Throws<OptionsException>(() => OptionsBinder.FromYaml<SampleOptions>("steps: 2", "r.yaml"));
        Assert.Equal(("ATT4004", "data"), (error.Code, error.Field));
    }

    [Theory]
    [InlineData("data: [a]\nstep: 5", "ATT4001", 2, "step", "'steps'")]
    [InlineData("data: [a]\noptimizer:\n  learnign_rate: 1", "ATT4001", 3, "learnign_rate", "'learning_rate'")]
    [InlineData("data: [a]\nearly-stop: true", "ATT4001", 2, "early-stop", "'early_stop'")]
    [InlineData("data: [a]\nqqqqqqqqq: 5", "ATT4001", 2, "qqqqqqqqq", "Known here: data, steps")]
    [InlineData("data: [a]\n\nsteps: many", "ATT4002", 3, "steps", "")]
    [InlineData("data: [a]\nsteps: 1.5", "ATT4002", 2, "steps", "")]
    [InlineData("data: [a]\nsteps: ~", "ATT4002", 2, "steps", "")]
    [InlineData("data: [a]\nsteps: [1]", "ATT4002", 2, "steps", "")]
    [InlineData("data: [a]\npacking: best", "ATT4002", 2, "packing", "")]
    [InlineData("data: [a]\npacking: 1", "ATT4002", 2, "packing", "")]
    [InlineData("data: [a]\nsave_every: 20", "ATT4002", 2, "save_every", "")]
    [InlineData("data: [a]\nsave_every: 20 minutes", "ATT4002", 2, "save_every", "")]
    [InlineData("data: [a]\nearly_stop: maybe", "ATT4002", 2, "early_stop", "")]
    [InlineData("data: [a]\noptimizer: 3", "ATT4002", 2, "optimizer", "")]
    [InlineData("data: [a]\noptimizer: { momentum: .nan }", "ATT4002", 2, "momentum", "")]
    [InlineData("data: [a]\noptimizer:\n  learning_rate: 0", "ATT4003", 3, "learning_rate", "above 0 to 1")]
    [InlineData("data: [a]\nsteps: 1\nsteps: 2", "ATT4005", 3, null, "")]
    [InlineData("data: [a\nsteps: 1", "ATT4005", 1, null, "")]
    [InlineData("steps: \"1\ndata: [a]", "ATT4005", 1, null, "")]
    [InlineData("- a", "ATT4005", 1, null, "")]
    public void Bad_options_are_refused_with_their_place(string yaml, string code, int line, string? field, string hint)
    {
        var error = Assert.Throws<OptionsException>(() => OptionsBinder.FromYaml<SampleOptions>(yaml, "r.yaml"));
        Assert.Equal((code, "r.yaml", line, field), (error.Code, error.File, error.Line, error.Field));
        Assert.Contains(hint, error.Hint ?? "");
    }

    [Fact]
    public void A_flag_is_refused_in_its_own_spelling()
    {
        var error = Assert.Throws<OptionsException>(() => OptionsBinder.Bind<SampleOptions>(
            new Dictionary<string, object?> { ["--optimizer-learning-rat"] = "1" }, "command line"));
        Assert.Contains("'--optimizer-learning-rate'", error.Hint);
    }

    [Fact]
    public void A_foreign_culture_changes_nothing()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("tr-TR");
            var options = OptionsBinder.FromYaml<SampleOptions>(Yaml.Replace("1e-3", "0.5"), "r.yaml");
            Assert.Equal(0.5, options.Optimizer.LearningRate);
            Assert.Equal("FILE_ID".ToLowerInvariant(), OptionText.Key("FileId"));
            Assert.Contains("0.5", OptionsBinder.ToJson(options).ToJsonString());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }

    [Theory]
    [InlineData("20m", 1200)]
    [InlineData("1.5h", 5400)]
    [InlineData("2d1s", 172801)]
    [InlineData("1500ms", 1.5)]
    public void Times_are_read_and_written(string text, double seconds)
    {
        Assert.True(OptionText.TryTime(text, out var time));
        Assert.Equal(seconds, time.TotalSeconds);
        Assert.True(OptionText.TryTime(OptionText.Of(time), out var again));
        Assert.Equal(time, again);
    }
}

public class RecipeTests
{
    private static readonly string[] Stages = ["pretrain", "sft", "dpo"];

    [Fact]
    public void Stages_come_in_order_with_their_lines()
    {
        var recipe = Recipe.FromYaml("# mine\n- pretrain: { data: [a], steps: 400 }\n- sft:\n    data: b.jsonl\n- dpo\n", "r.yaml", Stages);
        Assert.Equal([("pretrain", 2), ("sft", 3), ("dpo", 5)], recipe.Stages.Select(s => (s.Name, s.Line)));
        Assert.Equal(400, recipe.Stages[0].Bind<SampleOptions>().Steps);
        Assert.Equal(["b.jsonl"], recipe.Stages[1].Bind<SampleOptions>().Data);
        Assert.Equal(8, recipe.Stages[2].Bind(new SampleOptions { Data = ["x"], Steps = 8 }).Steps);
    }

    [Theory]
    [InlineData("- pretrian: {}", "ATT4006", 1, "'pretrain'")]
    [InlineData("- sft: {}\n- rlhf: {}", "ATT4006", 2, "Known here")]
    [InlineData("sft: {}", "ATT4005", 1, "")]
    [InlineData("", "ATT4005", null, "")]
    [InlineData("- { sft: {}, dpo: {} }", "ATT4005", 1, "")]
    [InlineData("- sft: [1]", "ATT4005", 1, "")]
    public void A_bad_recipe_is_refused(string yaml, string code, int? line, string hint)
    {
        var error = Assert.Throws<OptionsException>(() => Recipe.FromYaml(yaml, "r.yaml", Stages));
        Assert.Equal((code, line), (error.Code, error.Line));
        Assert.Contains(hint, error.Hint ?? "");
    }

    [Fact]
    public void A_fault_in_an_option_is_found_at_its_line()
    {
        var recipe = Recipe.FromYaml("- sft:\n    data: [a]\n    stepps: 3\n", "r.yaml", Stages);
        var error = Assert.Throws<OptionsException>(() => recipe.Stages[0].Bind<SampleOptions>());
        Assert.Equal("r.yaml:3: stepps: There is no option 'stepps'. [ATT4001]\n  Did you mean 'steps'?", error.Describe());
    }
}
