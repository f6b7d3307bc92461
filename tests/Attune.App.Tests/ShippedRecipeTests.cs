using System.Text.RegularExpressions;
using Attune.App.Recipes;
using Attune.Core.Options;
using Attune.Core.Worlds;
using Xunit;

namespace Attune.App.Tests;

/// <summary>The recipes of the repository say only what their stages know, in every language; nothing is trained.</summary>
public sealed partial class ShippedRecipeTests : IDisposable
{
    private readonly Workplace _at = new();

    public static TheoryData<string, string> Recipes
    {
        get
        {
            var all = new TheoryData<string, string>();
            foreach (var name in Names)
            {
                foreach (var language in WorldLanguage.All)
                    all.Add(name, language.Code);
            }
            return all;
        }
    }

    private static IReadOnlyList<string> Names { get; } = [.. Directory.EnumerateFiles(Path.Combine(Checkout.Root, "recipes"), "*.yaml").Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal)];

    public void Dispose() => _at.Dispose();

    [Fact]
    public void The_recipes_that_the_documents_name_are_here() =>
        Assert.Empty(new[] { "quickstart.yaml", "protected.yaml", "tiny.yaml" }.Except(Names, StringComparer.Ordinal));

    [Theory]
    [MemberData(nameof(Recipes))]
    public void Every_stage_binds_to_its_options(string recipe, string language)
    {
        var path = Path.Combine(Checkout.Root, "recipes", recipe);
        Assert.NotEmpty(Bind(path, language));
        Assert.False(Directory.Exists(_at.PathOf("run")));
    }

    [Theory]
    [MemberData(nameof(Recipes))]
    public void An_option_that_is_misspelt_is_named_wherever_it_stands(string recipe, string language)
    {
        var lines = File.ReadAllLines(Path.Combine(Checkout.Root, "recipes", recipe));
        var misspelt = _at.PathOf(recipe);
        foreach (var (line, number) in lines.Select((l, i) => (l, i)).Where(l => Option().IsMatch(l.l)))
        {
            File.WriteAllLines(misspelt, [.. lines[..number], Option().Replace(line, "$1$2x:"), .. lines[(number + 1)..]]);
            var refused = Assert.Throws<OptionsException>(() => Bind(misspelt, language));
            Assert.Equal(("ATT4001", number + 1), (refused.Code, refused.Line));
        }
    }

    private IReadOnlyList<Action<CancellationToken>> Bind(string recipe, string language) =>
        new RecipeRunner(new() { Recipe = recipe, Out = _at.PathOf("run"), Store = _at.PathOf("models"), Language = language, Seed = 7 }).Bind();

    // An option of a stage: indented, a key and a colon.
    [GeneratedRegex(@"^( +)([a-z_0-9]+):")]
    private static partial Regex Option();
}
