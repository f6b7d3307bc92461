using Xunit;

namespace Attune.App.Tests;

/// <summary>A store with a Base version, made once for a class.</summary>
public sealed class SmallVersions : IAsyncLifetime
{
    private readonly Workplace _at = new();

    /// <summary>The store.</summary>
    public string Store => _at.PathOf("models");

    /// <summary>The Base as a plain folder, which any store may start from.</summary>
    public string Base => _at.PathOf("base");

    public async ValueTask InitializeAsync()
    {
        var made = await _at.RunAsync("pretrain", "text.jsonl", "--save-as", "t:base", "--threads", "1", "--steps", "4", "--vocabulary-size", "320",
            "--hidden-size", "32", "--layers", "2", "--heads", "2", "--sequence-length", "64", "--micro-batch-tokens", "256");
        Assert.True(made.ExitCode == 0, made.ToString());
        var exported = await _at.RunAsync("export", "t:base", "base");
        Assert.True(exported.ExitCode == 0, exported.ToString());
    }

    public ValueTask DisposeAsync()
    {
        _at.Dispose();
        return ValueTask.CompletedTask;
    }
}
