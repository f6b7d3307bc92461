namespace Attune.App.Cli;

/// <summary>What the command tells the shell.</summary>
internal static class ExitCode
{
    public const int Done = 0;
    public const int Failed = 1;
    public const int BadInput = 2;
    public const int GateSaidNo = 3;
    public const int Interrupted = 130;
}
