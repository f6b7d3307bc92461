using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Attune.Testing;
using Xunit;

namespace Attune.Prompts.Tests;

/// <summary>
/// docs/template-findings.md: what the lint finds in the shared templates. ATTUNE_UPDATE=1 writes it anew; otherwise the
/// test says where it is out of date. Over other templates than those that it was made from, only the lint itself is tested.
/// </summary>
public sealed class FindingsTable
{
    [Fact]
    public void The_committed_table_is_what_the_lint_finds()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var files = SharedData.Files("*.jinja", "templates", "jinja");
        Assert.NotEmpty(files);
        var table = Table(files);
        var path = Path.Combine(Repository(), "docs", "template-findings.md");
        if (Environment.GetEnvironmentVariable("ATTUNE_UPDATE") == "1")
            File.WriteAllText(path, table);
        var committed = File.Exists(path) ? File.ReadAllText(path).ReplaceLineEndings("\n") : "";
        if (committed.Contains(Digest(files), StringComparison.Ordinal))
            Assert.Equal(committed, table);
    }

    private static string Table(IReadOnlyList<string> files)
    {
        var found = new List<(string File, IReadOnlyList<LintFinding> Findings)>();
        var broken = new List<string>();
        foreach (var file in files)
        {
            try
            {
                found.Add((Path.GetFileNameWithoutExtension(file), TemplateLint.Check(ChatTemplate.Parse(File.ReadAllText(file)))));
            }
            catch (TemplateException e)
            {
                broken.Add($"{Path.GetFileNameWithoutExtension(file)}: {e.Message}");
            }
        }
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"# What real chat templates do wrong\n\nThe lint of `Attune.Prompts` over {files.Count} published templates (digest `{Digest(files)}`). A template is counted once a rule. ");
        text.Append("A probe that a template refuses (`raise_exception`, or an error) breaks no rule: refusing is right. Templates alone are checked here, so the two rules that need a contract's stop tokens (ATT1210, ATT1211) do not appear.\n\n");
        text.Append("Made by `ATTUNE_UPDATE=1 dotnet artifacts/bin/Attune.Prompts.Tests/release/Attune.Prompts.Tests.dll -class \"*FindingsTable*\"`; the same test without the variable checks that this page is up to date.\n\n");
        text.Append("| code | finding | severity | templates | definition | fix |\n|---|---|---|---:|---|---|\n");
        foreach (var rule in LintRules.All)
        {
            var count = found.Count(f => f.Findings.Any(x => x.Code == rule.Code));
            text.Append(CultureInfo.InvariantCulture, $"| {rule.Code} | {rule.Name} | {rule.Severity.ToString().ToLowerInvariant()} | {count} | {Cell(rule.Definition)} | {Cell(rule.Fix)} |\n");
        }
        text.Append("\n## By template\n\n| template | findings (code:line) |\n|---|---|\n");
        foreach (var (file, findings) in found)
            text.Append(CultureInfo.InvariantCulture, $"| {file} | {string.Join(' ', findings.Select(f => string.Create(CultureInfo.InvariantCulture, $"{f.Code[3..]}:{f.Line}")).Distinct())} |\n");
        foreach (var line in broken)
            text.Append(CultureInfo.InvariantCulture, $"\nBroken: {line}\n");
        return text.ToString();
    }

    private static string Cell(string text) => text.Replace("|", "\\|", StringComparison.Ordinal);

    private static string Digest(IReadOnlyList<string> files)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var file in files)
        {
            hash.AppendData(Encoding.UTF8.GetBytes(Path.GetFileName(file)));
            hash.AppendData(File.ReadAllBytes(file));
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset())[..16];
    }

    private static string Repository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Attune.slnx")))
            folder = folder.Parent ?? throw new DirectoryNotFoundException("not inside the repository");
        return folder.FullName;
    }
}
