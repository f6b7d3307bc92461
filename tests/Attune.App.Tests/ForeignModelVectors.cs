using System.Diagnostics;
using System.Text.Json.Nodes;
using Attune.Testing;
using Xunit;

namespace Attune.App.Tests;

/// <summary>
/// README's second example through the real command, a few updates long: a model made elsewhere is imported, tuned with
/// LoRA and whole, aligned, measured, spoken to and given away.
/// </summary>
public sealed class ForeignModelVectors : IDisposable
{
    private readonly string _work = Directory.CreateTempSubdirectory("attune-foreign-").FullName;

    public void Dispose() => Directory.Delete(_work, recursive: true);

    [Fact]
    public async Task The_sample_runs_from_import_to_gguf()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        // A base model with a tokenizer that can mark turns, and the data of the example.
        var folder = SharedData.FoldersWith("tokenizer.json", "vectors").First(f => File.Exists(Path.Combine(f, "model.safetensors")));
        var sft = SharedData.Files("alpaca_en*.json", "data", "sft")[0];
        var dpo = SharedData.Files("dpo_en*.json", "data", "preference")[0];
        var (train, held, pairs) = (Part(sft, 0, 24, "train"), Part(sft, 24, 6, "held"), Part(dpo, 0, 12, "pairs"));

        var output = await RunAsync(Path.Combine(Root(), "samples", "foreign.sh"), folder, train, pairs, held, _work);
        foreach (var name in (string[])["foreign:base", "foreign:lora", "foreign:instruct", "foreign:chat"])
            Assert.Contains(name, output, StringComparison.Ordinal);
        Assert.Contains("bits_per_byte", output, StringComparison.Ordinal);
        Assert.True(File.Exists(Path.Combine(_work, "gguf", "foreign-chat.gguf")));
        Assert.Contains("<|im_end|>", File.ReadAllText(Path.Combine(_work, "gguf", "Modelfile")), StringComparison.Ordinal);
    }

    private string Part(string path, int skip, int count, string name)
    {
        var rows = JsonNode.Parse(File.ReadAllText(path))!.AsArray().Skip(skip).Take(count).Select(r => r!.DeepClone()).ToArray();
        Assert.Equal(count, rows.Length);
        var part = Path.Combine(_work, name + ".json");
        File.WriteAllText(part, new JsonArray(rows).ToJsonString());
        return part;
    }

    private static async Task<string> RunAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("sh", [script, .. arguments]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["STEPS"] = "2";
        start.Environment["ATTUNE"] = $"dotnet {Path.Combine(AppContext.BaseDirectory, "attune.dll")}";
        using var process = Process.Start(start)!;
        var (output, errors) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"exit {process.ExitCode}\n{await output}\n{await errors}");
        return await output;
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Attune.slnx")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("The tests run from a checkout.");
        return folder.FullName;
    }
}
