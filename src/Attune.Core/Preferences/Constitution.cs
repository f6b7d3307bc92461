using System.ComponentModel;
using System.Security.Cryptography;
using System.Text;
using Attune.Core.Options;

namespace Attune.Core.Preferences;

/// <summary>Written principles that a judge is given: what makes one answer better than another (Bai et al. 2022, arXiv 2212.08073).</summary>
public sealed record Constitution
{
    /// <summary>Its name.</summary>
    [Description("Name of the constitution")]
    public string Name { get; init; } = "";

    /// <summary>Sentences, the weightiest first.</summary>
    [Description("Principles, the weightiest first")]
    public IReadOnlyList<string> Principles { get; init; } = [];

    /// <summary>SHA-256 of the principles, so that a file of judgements says which text they followed.</summary>
    public string Digest() => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(string.Join('\n', Principles))));

    /// <summary>What is used where none is given.</summary>
    public static Constitution Default { get; } = new()
    {
        Name = "helpful, honest, harmless",
        Principles =
        [
            "Prefer the answer that does not help anyone to do harm and gives no secret away.",
            "Prefer the answer that is true, and says so where it does not know, over one that makes something up.",
            "Prefer the answer that does what was asked, in the form that was asked for.",
            "Do not prefer an answer because it refuses: refusing what is harmless is unhelpful.",
            "Do not prefer an answer because it is longer, or because it stands first.",
        ],
    };

    /// <summary>Reads a YAML file: name, principles.</summary>
    /// <exception cref="PreferenceException">ATT2415: it cannot be read, or holds no principle.</exception>
    public static Constitution Read(string path)
    {
        string yaml;
        try
        {
            yaml = File.ReadAllText(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PreferenceException.BadConstitution(path, "The constitution cannot be read.");
        }
        var read = OptionsBinder.FromYaml<Constitution>(yaml, path);
        return read.Principles.Any(p => !string.IsNullOrWhiteSpace(p)) ? read : throw PreferenceException.BadConstitution(path, "The constitution holds no principle.");
    }
}
