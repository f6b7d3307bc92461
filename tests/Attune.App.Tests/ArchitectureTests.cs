using System.Text.RegularExpressions;
using System.Xml.Linq;
using Xunit;

namespace Attune.App.Tests;

/// <summary>The arrows of docs/architecture.md, read from the sources themselves.</summary>
public sealed partial class ArchitectureTests
{
    /// <summary>Room → the rooms of Attune that it may use, its own always included.</summary>
    private static readonly Dictionary<string, string[]> Arrows = new()
    {
        ["Attune.Prompts"] = [],
        ["Attune.Core.Options"] = ["Attune.Prompts"],
        ["Attune.Core.Randomness"] = ["Attune.Prompts"],
        ["Attune.Core.Checkpoints"] = ["Attune.Prompts", "Attune.Core.Options", "Attune.Core.Versions.ModelFiles"],
        ["Attune.Core.Tokens"] = ["Attune.Prompts", "Attune.Core.Options", "Attune.Core.Checkpoints", "Attune.Core.Randomness"],
        ["Attune.Core.Versions"] = ["Attune.Prompts", "Attune.Core.Options", "Attune.Core.Checkpoints"],
        ["Attune.Core.Exchange"] = ["Attune.Prompts", "Attune.Core.Options", "Attune.Core.Checkpoints", "Attune.Core.Tokens", "Attune.Core.Versions"],
        ["Attune.Core.Data"] = ["Attune.Prompts", "Attune.Core.Options", "Attune.Core.Checkpoints", "Attune.Core.Tokens", "Attune.Core.Randomness"],
        ["Attune.Core.Rewards"] = ["Attune.Prompts", "Attune.Core.Data"],
        ["Attune.Core.Preferences"] = ["Attune.Prompts", "Attune.Core.Options", "Attune.Core.Checkpoints", "Attune.Core.Randomness", "Attune.Core.Data", "Attune.Core.Evaluation", "Attune.Core.Rewards"],
        ["Attune.Core.Worlds"] = ["Attune.Prompts", "Attune.Core.Options", "Attune.Core.Checkpoints", "Attune.Core.Randomness"],
        ["Attune.Core.Evaluation"] = ["Attune.Prompts", "Attune.Core"],
        ["Attune.Inference"] = ["Attune.Prompts", "Attune.Core"],
        ["Attune.Torch"] = ["Attune.Prompts", "Attune.Core", "Attune.Inference"],
        ["Attune.App"] = ["Attune.Prompts", "Attune.Core", "Attune.Inference", "Attune.Torch"],
    };

    private static string Root => Checkout.Root;

    [Fact]
    public void Rooms_use_only_what_the_arrows_allow()
    {
        var broken = new List<string>();
        foreach (var (path, room) in Sources())
        {
            foreach (Match use in Usings().Matches(File.ReadAllText(path)))
            {
                var used = use.Groups[1].Value;
                var allowed = Arrows[room].Append(room).Any(a => used == a || used.StartsWith(a + ".", StringComparison.Ordinal) || IsPartOf(a, used));
                if (!allowed)
                    broken.Add($"{Path.GetRelativePath(Root, path)} uses {used}");
            }
        }
        Assert.Empty(broken);
    }

    [Fact]
    public void Tensors_live_in_Attune_Torch_only()
    {
        var broken = Sources()
            .Where(s => s.Room != "Attune.Torch" && File.ReadAllText(s.Path).Contains("using TorchSharp", StringComparison.Ordinal))
            .Select(s => Path.GetRelativePath(Root, s.Path));
        Assert.Empty(broken);
    }

    [Fact]
    public void Prompts_depends_on_the_base_class_library_only()
    {
        var project = XDocument.Load(Path.Combine(Root, "src", "Attune.Prompts", "Attune.Prompts.csproj"));
        Assert.Empty(project.Descendants("PackageReference"));
        Assert.Empty(project.Descendants("ProjectReference"));
    }

    [Fact]
    public void Every_error_code_is_listed_in_the_docs()
    {
        var listed = ErrorCode().Matches(File.ReadAllText(Path.Combine(Root, "docs", "errors.md"))).Select(m => m.Value).ToHashSet();
        var used = Sources().SelectMany(s => QuotedErrorCode().Matches(File.ReadAllText(s.Path)).Select(m => m.Groups[1].Value)).ToHashSet();
        Assert.NotEmpty(used);
        Assert.Empty(used.Except(listed).Order());
        Assert.Empty(listed.Except(used).Order());
    }

    /// <summary>An arrow may name one type of a room: its namespace may then be used.</summary>
    private static bool IsPartOf(string arrow, string used) => arrow.StartsWith(used + ".", StringComparison.Ordinal) && arrow.Split('.').Length > 3;

    private static IEnumerable<(string Path, string Room)> Sources() =>
        from path in Directory.EnumerateFiles(Path.Combine(Root, "src"), "*.cs", SearchOption.AllDirectories)
        let parts = Path.GetRelativePath(Path.Combine(Root, "src"), path).Split(Path.DirectorySeparatorChar)
        where !parts.Contains("obj") && !parts.Contains("bin")
        select (path, parts[0] == "Attune.Core" ? $"Attune.Core.{parts[1]}" : parts[0]);

    [GeneratedRegex(@"^using (?:static )?(Attune\.[\w.]+)", RegexOptions.Multiline)]
    private static partial Regex Usings();

    [GeneratedRegex(@"ATT\d{4}")]
    private static partial Regex ErrorCode();

    // A code is quoted, or stands in brackets in a message that is written as it is.
    [GeneratedRegex(@"[""\[](ATT\d{4})[""\]]")]
    private static partial Regex QuotedErrorCode();
}
