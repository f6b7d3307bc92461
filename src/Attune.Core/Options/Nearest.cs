namespace Attune.Core.Options;

/// <summary>The known name that a mistyped one most likely meant.</summary>
public static class Nearest
{
    /// <summary>
    /// The name at the least edit distance (insert, delete, replace, swap of neighbours; case, '-' and '_' are the same),
    /// or null where every name is more than a third of its length, and more than two edits, away.
    /// </summary>
    public static string? To(string name, IEnumerable<string> known)
    {
        var (best, bestDistance) = ((string?)null, int.MaxValue);
        foreach (var candidate in known)
        {
            var distance = Distance(Normal(name), Normal(candidate));
            if (distance < bestDistance && distance <= Math.Max(2, candidate.Length / 3))
                (best, bestDistance) = (candidate, distance);
        }
        return best;
    }

    /// <summary>Whether a name is another one mistyped: at one edit, or at two in names of six letters and more.</summary>
    public static bool IsTypo(string name, string known) =>
        name != known && known.Length > 3 && Distance(Normal(name), Normal(known)) <= (known.Length >= 6 ? 2 : 1);

    /// <summary>"Did you mean …?", or the list of what is known where nothing is near.</summary>
    public static string Hint(string name, IReadOnlyCollection<string> known) => To(name, known) is { } near
        ? $"Did you mean '{near}'?"
        : known.Count == 0 ? "None is known here." : $"Known here: {string.Join(", ", known)}.";

    private static string Normal(string name) => name.TrimStart('-').Replace('-', '_').ToLowerInvariant();

    // Optimal string alignment: three rows of the usual table.
    private static int Distance(string a, string b)
    {
        var (beforeLast, last, current) = (new int[b.Length + 1], new int[b.Length + 1], new int[b.Length + 1]);
        for (var j = 0; j <= b.Length; j++)
            last[j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(replace, 1 + Math.Min(last[j], current[j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    current[j] = Math.Min(current[j], beforeLast[j - 2] + 1);
            }
            (beforeLast, last, current) = (last, current, beforeLast);
        }
        return last[b.Length];
    }
}
