using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Gguf;
using Attune.Testing;
using Xunit;

namespace Attune.Core.Tests.Checkpoints.Gguf;

/// <summary>Blocks that the reference packed: every TYPE.bytes with its TYPE.back, found by listing the tensors.</summary>
public sealed class GgufBlockVectors
{
    private const float Tolerance = 1e-6f;

    [Fact]
    public void Blocks_become_the_reference_s_floats()
    {
        var types = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var path in Files())
        {
            using var file = SafetensorsFile.Open(path);
            foreach (var (name, type) in Cases(file))
            {
                types.Add(name);
                var wanted = new float[file[$"{name}.back"].Count];
                file.ReadFloats($"{name}.back", wanted);
                var found = new float[wanted.Length];
                GgufBlock.Of(type).Decode(file.Bytes($"{name}.bytes"), found);
                for (var i = 0; i < wanted.Length; i++)
                    Assert.True(Math.Abs(wanted[i] - found[i]) <= Tolerance * Math.Max(1, Math.Abs(wanted[i])), $"{path} {name}[{i}]: {found[i]}, not {wanted[i]}");
            }
        }
        // Everything that the README promises to read is among them.
        foreach (var type in (string[])["F16", "BF16", "Q8_0", "Q4_0", "Q4_K", "Q6_K"])
            Assert.Contains(type, types);
        TestContext.Current.TestOutputHelper?.WriteLine(string.Join(", ", types));
    }

    [Fact]
    public void Floats_become_the_reference_s_bytes()
    {
        var written = 0;
        foreach (var path in Files())
        {
            using var file = SafetensorsFile.Open(path);
            if (file.Find("values") is not { } source)
                continue;
            var values = new float[source.Count];
            file.ReadFloats("values", values);
            foreach (var (name, type) in Cases(file).Where(c => GgufEncoding.CanWrite(c.Type)))
            {
                var bytes = new byte[file[$"{name}.bytes"].Length];
                GgufEncoding.Encode(type, values, bytes);
                Assert.True(bytes.AsSpan().SequenceEqual(file.Bytes($"{name}.bytes")), $"{path}: {name} is not written with the reference's bytes.");
                using var stream = new MemoryStream();
                GgufEncoding.Write(stream, type, values);
                Assert.Equal(bytes, stream.ToArray());
                written++;
            }
        }
        Assert.True(written >= 3);
    }

    [Fact]
    public void Every_block_of_every_type_decodes()
    {
        // Bytes of any kind are numbers (or infinities) of their type: nothing reads past a block.
        foreach (var type in Enum.GetValues<GgufType>())
        {
            var block = GgufBlock.Of(type);
            var bytes = Enumerable.Range(0, 3 * block.Bytes).Select(i => (byte)(i * 37)).ToArray();
            block.Decode(bytes, new float[3 * block.Elements]);
        }
    }

    private static IReadOnlyList<string> Files()
    {
        Assert.SkipWhen(SharedData.MaySkip, "No reference data.");
        var files = SharedData.Files("quant*.safetensors", "vectors", "parts");
        Assert.NotEmpty(files);
        return files;
    }

    private static IEnumerable<(string Name, GgufType Type)> Cases(SafetensorsFile file) =>
        from tensor in file.Tensors
        where tensor.Name.EndsWith(".bytes", StringComparison.Ordinal)
        let name = tensor.Name[..^".bytes".Length]
        select (name, Enum.Parse<GgufType>(name));
}
