using Attune.Core.Randomness;
using Attune.Prompts;

namespace Attune.Fuzz;

/// <summary>A kind of file that strangers send, with seeds that are sound and the code that opens it.</summary>
/// <param name="Name">safetensors, model.safetensors.index.json, gguf, tokenizer.json, config.json.</param>
/// <param name="Seeds">Sound files.</param>
/// <param name="Open">Opens bytes as Attune does; a path is where it may write them for code that wants a file.</param>
internal sealed record FuzzTarget(string Name, IReadOnlyList<byte[]> Seeds, Action<byte[], string> Open)
{
    // What opening may allocate: nothing of the size that a file claims, so a bound by the file's own size does.
    private const long MostBytes = 32 << 20;
    private const int MostPerByte = 400;

    /// <summary>Opens the n-th mutation; says how it went.</summary>
    /// <param name="index">Which mutation.</param>
    /// <param name="seed">Seed of all of them.</param>
    /// <param name="scratch">A file to write to.</param>
    /// <returns>"sound", an error code, or "FAULT …" for what must not be.</returns>
    public string Run(long index, long seed, string scratch)
    {
        var random = RandomStream.Of(seed, "file-fuzz", FormattableString.Invariant($"{Name}-{index}"));
        var bytes = Mutation.Of(Seeds[random.Next(Seeds.Count)], random);
        var before = GC.GetAllocatedBytesForCurrentThread();
        string outcome;
        try
        {
            Open(bytes, scratch);
            outcome = "sound";
        }
        catch (AttuneException e)
        {
            outcome = e.Code;
        }
        catch (Exception e)
        {
            return $"FAULT {e.GetType().Name}: {e.Message} at {e.StackTrace?.Split('\n').FirstOrDefault()?.Trim()}";
        }
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        return allocated <= MostBytes + (long)MostPerByte * bytes.Length ? outcome : FormattableString.Invariant($"FAULT {allocated} bytes allocated for a file of {bytes.Length}");
    }
}
