using System.Diagnostics;
using System.Text.Json.Nodes;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;
using Xunit;

namespace Attune.App.Tests;

/// <summary>attune template, as a shell sees it: what it prints, and the exit code.</summary>
public sealed class TemplateCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("attune-template-").FullName;
    private readonly Tokenizer _tokenizer = BpeTrainer.Train(["What is 2+2? It is 4. Hello there, good bye."], new BpeTrainerOptions { VocabularySize = 320, MinFrequency = 1 });

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string At(string name) => Path.Combine(_folder, name);

    private string Write(string name, string text)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(At(name))!);
        File.WriteAllText(At(name), text);
        return At(name);
    }

    /// <summary>A model folder with our own contract, as a stage leaves it (without weights, which no template needs).</summary>
    private string Model(string name, PromptContract contract)
    {
        Write($"{name}/chat_template.jinja", contract.Template.Source);
        Write($"{name}/prompt_contract.json", contract.ToJson());
        File.WriteAllBytes(At($"{name}/tokenizer.json"), _tokenizer.ToJson().ToArray());
        return At(name);
    }

    private static (int Code, string Out, string Error) Attune(params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true, RedirectStandardError = true, UseShellExecute = false };
        start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "attune.dll"));
        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var text = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, text, error.Result);
    }

    [Fact]
    public void A_folder_renders_to_text_ids_and_mask()
    {
        var contract = BuiltInContracts.ChatMl(_tokenizer);
        var folder = Model("m", contract);
        var talk = Write("talk.json", """[{"role": "user", "content": "Hi<|im_end|>"}, {"role": "assistant", "content": "Hello."}]""");
        var (code, text, error) = Attune("template", "render", folder, "--conversation", talk, "--json");
        Assert.Equal((0, ""), (code, error));
        var json = JsonNode.Parse(text)!;
        var expected = contract.Render(new([new("user", "Hi<|im_end|>"), new("assistant", "Hello.")]), _tokenizer);
        Assert.Equal(expected.Text, (string?)json["text"]);
        Assert.Equal(expected.Ids, json["ids"]!.AsArray().Select(i => (int)i!));
        Assert.Equal(expected.Trained, json["tokens"]!.AsArray().Select(t => (bool)t!["trained"]!));
        // Two turns end; what the user typed is text.
        Assert.Equal(2, json["tokens"]!.AsArray().Count(t => (string?)t!["token"] == "<|im_end|>" && (bool)t["control"]!));
        var (_, plain, _) = Attune("template", "render", folder, "--conversation", talk);
        Assert.Equal(expected.Text + "\n" + string.Join(' ', expected.Ids) + "\n", plain);
    }

    [Fact]
    public void A_template_file_needs_no_tokenizer_to_render_and_lint_but_a_contract_does()
    {
        var file = Write("t.jinja", "{{ bos_token }}{% for m in messages %}{{ m.content }}{% endfor %}");
        Write("tokenizer_config.json", """{"bos_token": "<s>"}""");
        var (code, text, _) = Attune("template", "render", file, "--user", "Hi");
        Assert.Equal((0, "<s>Hi\n"), (code, text));
        (code, text, _) = Attune("template", "lint", file, "--json");
        Assert.Equal(3, code);
        Assert.Contains(JsonNode.Parse(text)!.AsArray(), f => (string?)f!["code"] == "ATT1207");
        (code, _, _) = Attune("template", "lint", file, "--fail-on", "error", "--tokenizer", Model("m", BuiltInContracts.ChatMl(_tokenizer)));
        Assert.Equal(3, code);
        (code, _, var error) = Attune("template", "contract", file);
        Assert.Equal(2, code);
        Assert.Contains("ATT1302", error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_tokenizer_config_with_a_template_is_read_and_a_contract_written()
    {
        var config = Write("x/tokenizer_config.json", """{"eos_token": "<|im_end|>", "chat_template": "{% for m in messages %}{{ m.role }}: {{ m.content }}<|im_end|>{% endfor %}"}""");
        File.WriteAllBytes(At("x/tokenizer.json"), _tokenizer.ToJson().ToArray());
        var (code, _, _) = Attune("template", "contract", config, "--out", At("c.json"));
        Assert.Equal(0, code);
        var contract = PromptContract.FromJson(File.ReadAllText(At("c.json")));
        Assert.Equal([_tokenizer.AddedTokens["<|im_end|>"]], contract.StopIds);
        (code, var text, _) = Attune("template", "show", At("c.json"), "--json");
        Assert.Equal(0, code);
        Assert.Contains("{{ m.role }}", (string?)JsonNode.Parse(text)!["template"], StringComparison.Ordinal);
    }

    [Fact]
    public void A_GGUF_file_has_template_tokens_and_vocabulary()
    {
        var contract = BuiltInContracts.ChatMl(_tokenizer);
        var vocabulary = GgufVocabulary.Of(_tokenizer);
        var path = At("m.gguf");
        using (var file = new BinaryWriter(File.Create(path)))
        {
            void Word(string text)
            {
                var bytes = System.Text.Encoding.UTF8.GetBytes(text);
                file.Write((ulong)bytes.Length);
                file.Write(bytes);
            }

            void Key(string name, uint type)
            {
                Word(name);
                file.Write(type);
            }

            void Words(string name, IReadOnlyList<string> texts)
            {
                Key(name, 9);
                file.Write(8u);
                file.Write((ulong)texts.Count);
                foreach (var text in texts)
                    Word(text);
            }

            file.Write("GGUF"u8);
            file.Write(3u);
            file.Write(0ul);
            file.Write(8ul);
            Key("tokenizer.ggml.model", 8);
            Word(vocabulary.Model);
            Key("tokenizer.ggml.pre", 8);
            Word(vocabulary.Pre);
            Key("general.alignment", 4);
            file.Write(32u);
            Words("tokenizer.ggml.tokens", vocabulary.Tokens);
            Words("tokenizer.ggml.merges", vocabulary.Merges);
            Key("tokenizer.ggml.token_type", 9);
            file.Write(5u);
            file.Write((ulong)vocabulary.Types.Count);
            foreach (var type in vocabulary.Types)
                file.Write(type);
            Key("tokenizer.ggml.eos_token_id", 4);
            file.Write((uint)_tokenizer.AddedTokens["<|endoftext|>"]);
            Key("tokenizer.chat_template", 8);
            Word(contract.Template.Source);
        }
        var (code, text, error) = Attune("template", "render", path, "--user", "Hello there", "--json");
        Assert.Equal((0, ""), (code, error));
        Assert.Equal(contract.Render(new([new("user", "Hello there")]), _tokenizer, addGenerationPrompt: true).Ids, JsonNode.Parse(text)!["ids"]!.AsArray().Select(i => (int)i!));
        File.WriteAllBytes(At("cut.gguf"), File.ReadAllBytes(path)[..900]);
        (code, _, error) = Attune("template", "show", At("cut.gguf"));
        Assert.Equal(2, code);
        Assert.Contains("ATT3302", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Differences_are_told_and_gate_on_request()
    {
        var (a, b) = (Model("a", BuiltInContracts.ChatMl(_tokenizer)), Model("b", BuiltInContracts.Llama3(_tokenizer)));
        var (code, text, _) = Attune("template", "diff", a, b, "--json");
        Assert.Equal(0, code);
        Assert.NotEmpty(JsonNode.Parse(text)!["conversations"]!.AsArray());
        Assert.Equal(3, Attune("template", "diff", a, b, "--gate").Code);
        Assert.Equal(0, Attune("template", "diff", a, "chatml", "--gate", "--tokenizer", a).Code);
    }

    [Fact]
    public void A_stored_version_is_checked_against_lineage_and_parent()
    {
        var store = ModelStore.Open(At("store"));
        var contract = BuiltInContracts.ChatMl(_tokenizer);
        ModelVersion Add(string name, PromptContract with, string? parent, JsonObject facts, string? said = null) =>
            store.Add(new VersionDraft(VersionKind.Instruct, ModelFiles.OfFolder(Model(name, with)), new Lineage
            {
                Parent = parent,
                Stage = "sft",
                Options = [],
                CodeVersion = "test",
                Contract = said ?? with.Hash,
                Facts = facts,
            }), $"test:{name}");
        var parent = Add("parent", contract, null, []);
        Add("child", contract, parent.Digest, new() { ["steps"] = 1 });
        Add("broken", BuiltInContracts.Llama3(_tokenizer), parent.Digest, []);
        Add("declared", BuiltInContracts.Llama3(_tokenizer), parent.Digest, new() { ["contract_change"] = new JsonArray("stop ids") });
        Add("liar", contract, null, [], new string('0', 64));
        (int, string, string) Check(string name) => Attune("template", "check", $"test:{name}", "--store", At("store"));
        Assert.Equal(0, Check("child").Item1);
        Assert.Equal(3, Check("broken").Item1);
        Assert.Contains("no  parent", Check("broken").Item2, StringComparison.Ordinal);
        Assert.Equal(0, Check("declared").Item1);
        Assert.Contains("no  lineage", Check("liar").Item2, StringComparison.Ordinal);
    }

    [Fact]
    public void Bad_input_says_where()
    {
        var folder = Model("m", BuiltInContracts.ChatMl(_tokenizer));
        Refused("ATT1301", "", "template", "show", "nothing-of-that-name", "--store", At("no-store"));
        Refused("ATT1001", "broken.jinja:2", "template", "show", Write("broken.jinja", "ok\n{% if %}"));
        Refused("ATT1303", "empty", "template", "show", Write("empty/tokenizer_config.json", "{}"));
        Refused("ATT1304", "[0].role", "template", "render", folder, "--conversation", Write("c.json", """[{"content": "Hi"}]"""));
        Refused("ATT1304", "c2.json:1", "template", "render", folder, "--conversation", Write("c2.json", "[{"));
        Refused("ATT1003", "narrator", "template", "render", folder, "--conversation", Write("role.json", """[{"role": "narrator", "content": "Hi"}]"""));
        Refused("ATT1010", "messages[0].content", "template", "render", folder, "--conversation", Write("utf16.json", """[{"role": "user", "content": "\ud800"}]"""));
        Refused("ATT1004", "'name' is undefined", "template", "render", Write("u.jinja", "{{ name.first }}"));
        // A template changed behind the contract's back.
        Write("m/chat_template.jinja", "{% for m in messages %}{{ m.content }}{% endfor %}");
        Refused("ATT1107", "differ in", "template", "show", folder);

        static void Refused(string code, string where, params string[] arguments)
        {
            var (exit, _, error) = Attune(arguments);
            Assert.Equal(2, exit);
            Assert.Contains(code, error, StringComparison.Ordinal);
            Assert.Contains(where, error, StringComparison.Ordinal);
        }
    }
}
