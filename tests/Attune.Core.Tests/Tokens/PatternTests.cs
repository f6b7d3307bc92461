using Attune.Core.Tokens;
using Attune.Core.Tokens.Patterns;
using Xunit;

namespace Attune.Core.Tests.Tokens;

public class PatternTests
{
    [Theory]
    [InlineData("a|ab", "abab", "a,a")]
    [InlineData("(?:ab|a)+?b", "aabb", "aabb")]
    [InlineData("(?:a|b)+?b", "aabb", "aab")]
    [InlineData("a{2,3}", "aaaaa", "aaa,aa")]
    [InlineData("a{,2}b", "aaab", "aab")]
    [InlineData("a{x}", "a{x}", "a{x}")]
    [InlineData("[^\\s\\p{L}\\p{N}]+", "a..b !?", "..,!?")]
    [InlineData("\\s+(?!\\S)|\\s+", "a   b", "  , ")]
    [InlineData("(?<=a)b", "abcb", "b")]
    [InlineData("(?<!a)b", "abcb", "b")]
    [InlineData("(?<=a|bc)d", "ad bcd cd", "d,d")]
    [InlineData("(?i:k)", "K\u212Ak", "K,\u212A,k")]
    [InlineData("(?i)S", "s\u017FS", "s,\u017F,S")]
    [InlineData("a(?i)b|C", "aB c ac", "aB,ac")]
    [InlineData("[a-z&&[^aeiou]]+", "abcde", "bcd")]
    [InlineData("[[:alpha:]]+", "ab1ñ", "ab,ñ")]
    [InlineData("[\\p{L}--]+", "a-b", "a-b")]
    [InlineData("\\p{Han}+", "a海边b𠀀", "海边,𠀀")]
    [InlineData("\\P{L}+|\\p{^L}", "a12b", "12")]
    [InlineData("[\\x{1F600}-\\x{1F64F}]", "x😀y", "😀")]
    [InlineData("a++a|b", "aab", "b")]
    [InlineData("(?>a*)a|b", "aab", "b")]
    [InlineData("^a", "a\na", "a,a")]
    [InlineData("a$", "a\nba", "a,a")]
    [InlineData("\\Aa|b\\z", "aab", "a,b")]
    [InlineData("\\bw\\w*", "wa aw wb", "wa,wb")]
    [InlineData(".", "a\nb", "a,b")]
    [InlineData("(?m).", "a\n", "a,\n")]
    [InlineData("(?:a*)*b", "aab", "aab")]
    [InlineData("]", "]", "]")]
    [InlineData("\\d{3}(?=(?:\\d{3})*$)", "1234567", "234,567")]
    public void Matches(string pattern, string text, string expected) =>
        Assert.Equal(expected, string.Join(',', new Pattern(pattern, null).Matches(text).Select(m => text[m.Start..m.End])));

    [Theory]
    [InlineData("(a")]
    [InlineData("a)")]
    [InlineData("[a")]
    [InlineData("*a")]
    [InlineData("(a)\\1")]
    [InlineData("\\p{Klingon}")]
    [InlineData("(?<=a+)b")]
    [InlineData("[z-a]")]
    [InlineData("a{2,1}")]
    [InlineData("\\")]
    [InlineData("\\x{110000}")]
    [InlineData("(?:(?:(?:a{1000}b){1000}){1000})")]
    public void WhatItCannotRead_IsATypedError(string pattern) =>
        Assert.Equal("ATT2504", Assert.Throws<TokenException>(() => new Pattern(pattern, "field")).Code);

    [Fact]
    public void APatternThatNeverEnds_IsATypedError() =>
        Assert.Equal("ATT2504", Assert.Throws<TokenException>(() => new Pattern("(?:a|a)*b", null).Matches(new string('a', 60))).Code);

    [Fact]
    public void NestedGroups_DoNotOverflowTheStack() =>
        Assert.Throws<TokenException>(() => new Pattern(new string('(', 100_000), null));
}
