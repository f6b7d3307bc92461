using Attune.Prompts;

namespace Attune.App.Cli;

/// <summary>What the command tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadInput = 2;
    public const int GateSaidNo = 3;
    public const int Interrupted = 130;

    // Nothing was wrong with what was asked: the disk, another process, damaged files or the arithmetic failed.
    private static readonly HashSet<string> Failures = new(StringComparer.Ordinal)
    {
        "ATT2030", "ATT2055", "ATT2057", "ATT5000", "ATT5120", "ATT5131", "ATT5132", "ATT6005",
    };

    /// <summary>Most errors refuse what was asked before any work; a few are failures of the work itself.</summary>
    public static int Of(AttuneException error) => Failures.Contains(error.Code) ? Failed : BadInput;
}
