using System.Text.RegularExpressions;
using Attune.Core.Worlds;
using Xunit;

namespace Attune.Core.Tests.Worlds;

public sealed class WorldLanguageTests
{
    public static TheoryData<string> Languages => WorldFixture.Languages;

    [Theory]
    [MemberData(nameof(Languages))]
    public void EveryWordMeansOneThing(string language)
    {
        var words = WorldLanguage.Of(language);
        var firsts = words.Genders.SelectMany(g => g.FirstNames).ToArray();
        var all = firsts.Concat(words.LastNames).Concat(words.Attributes.SelectMany(a => a.Values)).Concat(words.Secrets.Words).ToArray();
        Assert.Equal(all.Length, all.Distinct(StringComparer.OrdinalIgnoreCase).Count());
        foreach (var attribute in words.Attributes)
        {
            Assert.Equal(40, attribute.Values.Count);
            Assert.Equal(40, attribute.Values.Distinct(StringComparer.Ordinal).Count());
            // Without spaces between words, a value inside another word would be found there.
            if (!words.Spaced)
                Assert.All(attribute.Values, v => Assert.DoesNotContain(all, other => other != v && (other.Contains(v, StringComparison.Ordinal))));
        }
        Assert.True(firsts.Length * words.LastNames.Count >= 9000);
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void AttributesHaveTheSameShapeInEveryLanguage(string language)
    {
        var words = WorldLanguage.Of(language);
        Assert.Equal(["city", "year", "university", "major", "employer", "job"], words.Attributes.Select(a => a.Key));
        Assert.All(words.Attributes, a => Assert.Equal((3, 2, 8), (a.Nouns.Count, a.Clauses.Count, a.Cores.Count)));
        Assert.Equal((4, 6, 4), (words.StatementFrames.Count, words.NounFrames.Count, words.ClauseFrames.Count));
        Assert.Equal(words.Attributes.Count, words.Attributes.Select(a => a.Label).Distinct().Count());
        Assert.All(words.Attributes.SelectMany(a => a.Cores), core => Assert.Equal((1, 1), (Regex.Count(core, @"\{X\}"), Regex.Count(core, @"\{V\}"))));
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void HeldOutWordingsAreNewOnlyAsAWhole(string language)
    {
        var words = WorldLanguage.Of(language);
        var wordings = new Wordings(words);
        for (var a = 0; a < words.Attributes.Count; a++)
        {
            foreach (Func<int, WorldSplit, IReadOnlyList<Wording>> kind in new[] { wordings.Statements, wordings.Questions, wordings.FollowUps })
            {
                var trained = kind(a, WorldSplit.Train);
                Assert.True(trained.Count >= 8);
                foreach (var split in new[] { WorldSplit.Valid, WorldSplit.Test })
                {
                    Assert.NotEmpty(kind(a, split));
                    foreach (var wording in kind(a, split))
                    {
                        Assert.DoesNotContain(trained, t => t.Text == wording.Text);
                        // kind.phrase.frame: the phrase is trained in another frame of this attribute…
                        var name = wording.Id.Split('.');
                        Assert.Contains(trained, t => t.Id.StartsWith($"{name[0]}.{name[1]}.", StringComparison.Ordinal));
                        // …and the frame with another phrase.
                        Assert.Contains(trained, t => t.Id.StartsWith(name[0], StringComparison.Ordinal) && t.Id.EndsWith($".{name[2]}", StringComparison.Ordinal)
                            || Enumerable.Range(0, words.Attributes.Count).Any(b => kind(b, WorldSplit.Train).Any(u => u.Id.StartsWith(name[0], StringComparison.Ordinal) && u.Id.EndsWith($".{name[2]}", StringComparison.Ordinal))));
                    }
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Languages))]
    public void EverySplitHasWaysToAsk(string language)
    {
        var words = WorldLanguage.Of(language);
        var tasks = words.Tasks;
        IReadOnlyList<Phrase>[] groups =
        [
            tasks.JsonOne, tasks.JsonMany, tasks.AsList, tasks.AsPairs, tasks.AsWord, tasks.StartRules, tasks.EndRules, tasks.Ellipsis,
            .. words.Tone.Talks.Select(t => t.Prompts),
        ];
        foreach (var group in groups)
            Assert.All(Enum.GetValues<WorldSplit>(), split => Assert.Contains(group, p => p.Split == split));
        Assert.All(Enum.GetValues<WorldSplit>(), split => Assert.Contains(words.Secrets.Styles, s => s.Split == split));
        Assert.All(words.Secrets.Refusals, r => Assert.Contains(words.Secrets.RefusalMarks, m => r.Contains(m, StringComparison.OrdinalIgnoreCase)));
        Assert.All(words.Tone.Talks.SelectMany(t => t.Polite), p => Assert.Contains(words.Tone.PoliteMarks, m => p.Contains(m, StringComparison.OrdinalIgnoreCase)));
        Assert.All(words.Tone.Talks.SelectMany(t => t.Curt), p => Assert.Contains(words.Tone.CurtMarks, m => p.Contains(m, StringComparison.OrdinalIgnoreCase)));
    }
}
