using System.Buffers.Binary;
using System.Text;
using Attune.Core.Checkpoints;
using Attune.Core.Checkpoints.Gguf;
using Xunit;

namespace Attune.Core.Tests.Checkpoints.Gguf;

/// <summary>The bytes of GGUF, against bytes written here by hand, and what is refused.</summary>
public sealed class GgufFileTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void The_writer_writes_the_format_s_bytes()
    {
        GgufWriter.Write(_scratch["a.gguf"], [new("a", GgufValue.Of("x")), new("n", GgufValue.Of(7)), new("l", GgufValue.Of([1.5f]))],
            [new("t", GgufType.F32, [1, 2], stream => GgufEncoding.Write(stream, GgufType.F32, [1, -2]))]);
        Assert.Equal(ByHand(), File.ReadAllBytes(_scratch["a.gguf"]));
    }

    [Fact]
    public void The_reader_reads_them()
    {
        File.WriteAllBytes(_scratch["a.gguf"], ByHand());
        using var file = GgufFile.Open(_scratch["a.gguf"]);
        Assert.Equal("x", file.Metadata.Text("a"));
        Assert.Equal(7, file.Metadata.Int("n"));
        Assert.Equal([1.5f], file.Metadata.Floats("l"));
        Assert.Equal([1L, 2], file["t"].Shape);
        var values = new float[2];
        file.ReadFloats(file["t"], 0, values);
        Assert.Equal([1, -2], values);
        Assert.Equal("ATT3304", Assert.Throws<GgufException>(() => file.Metadata.Int("a")).Code);
        Assert.Equal("ATT2013", Assert.Throws<CheckpointException>(() => file["u"]).Code);
    }

    [Fact]
    public void Every_kind_of_value_comes_back()
    {
        KeyValuePair<string, GgufValue>[] values =
        [
            new("u8", new(GgufValueType.UInt8, 200L)), new("i8", new(GgufValueType.Int8, -3L)), new("u16", new(GgufValueType.UInt16, 60_000L)), new("i16", new(GgufValueType.Int16, -30_000L)),
            new("u64", new(GgufValueType.UInt64, ulong.MaxValue)), new("i64", new(GgufValueType.Int64, long.MinValue)), new("f64", new(GgufValueType.Float64, 0.1)), new("f32", GgufValue.Of(1e-5)),
            new("yes", GgufValue.Of(true)), new("texts", GgufValue.Of(["", "é▁"])), new("flags", GgufValue.Of([true, false])), new("ints", GgufValue.Of([-1, 2])), new("none", GgufValue.Of(Array.Empty<string>())),
        ];
        GgufWriter.Write(_scratch["v.gguf"], values, []);
        using var file = GgufFile.Open(_scratch["v.gguf"]);
        Assert.Equal(values.Select(v => v.Key), file.Metadata.Select(v => v.Key));
        foreach (var (key, value) in values)
            Assert.Equivalent(key == "f32" ? (double)1e-5f : value.Content, file.Metadata.Find(key)!.Content);
        Assert.Equal(1e-5, file.Metadata.Number("f32"));
    }

    [Theory]
    [InlineData("magic", "ATT3301")]
    [InlineData("version", "ATT3301")]
    [InlineData("big-endian", "ATT3301")]
    [InlineData("short", "ATT3301")]
    [InlineData("pickle", "ATT2014")]
    [InlineData("tensor count", "ATT3302")]
    [InlineData("value count", "ATT3302")]
    [InlineData("text length", "ATT3302")]
    [InlineData("list length", "ATT3302")]
    [InlineData("value type", "ATT3302")]
    [InlineData("dimensions", "ATT3302")]
    [InlineData("shape", "ATT3303")]
    [InlineData("shape overflow", "ATT3302")]
    [InlineData("tensor type", "ATT2022")]
    [InlineData("offset", "ATT3303")]
    [InlineData("offset overflow", "ATT3303")]
    [InlineData("cut", "ATT3303")]
    public void What_is_broken_is_refused_by_name(string fault, string code)
    {
        var bytes = ByHand();
        // Places in the file below: counts at 8 and 16, the value of "a" at 37; the rest by the name before it.
        switch (fault)
        {
            case "magic": bytes[0] = (byte)'g'; break;
            case "version": bytes[4] = 1; break;
            case "big-endian": (bytes[4], bytes[7]) = (0, 3); break;
            case "short": bytes = bytes[..20]; break;
            case "pickle": "PK\u0003\u0004"u8.CopyTo(bytes); break;
            case "tensor count": Put(8, 1UL << 60); break;
            case "value count": Put(16, 1UL << 60); break;
            case "text length": Put(37, 1UL << 40); break;
            case "list length": Put(Find("l") + 9, 1UL << 62); break;
            case "value type": bytes[Find("a") + 1] = 99; break;
            case "dimensions": bytes[Find("t") + 1] = 9; break;
            case "shape": Put(Find("t") + 5, 1UL << 60); break;
            case "shape overflow": (bytes[Find("t") + 12], bytes[Find("t") + 20]) = (0x40, 0x40); break;
            case "tensor type": bytes[Find("t") + 21] = 99; break;
            case "offset": bytes[Find("t") + 25] = 1; break;
            case "offset overflow": Put(Find("t") + 25, 0xFFFF_FFFF_FFFF_FFE0); break;
            default: bytes = bytes[..^25]; break;
        }
        File.WriteAllBytes(_scratch["b.gguf"], bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.ThrowsAny<CheckpointException>(() => GgufFile.Open(_scratch["b.gguf"]));
        Assert.Equal(code, error.Code);
        Assert.Equal(_scratch["b.gguf"], error.File);
        // Nothing of the size that the header claims.
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1 << 20);

        void Put(int at, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), value);
        int Find(string name) => bytes.AsSpan().IndexOf((ReadOnlySpan<byte>)[1, 0, 0, 0, 0, 0, 0, 0, (byte)name[0]]) + 8;
    }

    [Fact]
    public void Overlapping_and_doubled_tensors_are_refused()
    {
        Assert.Equal("ATT2011", Assert.Throws<CheckpointException>(() => GgufWriter.Write(_scratch["d.gguf"], [], [Tensor("t"), Tensor("t")])).Code);
        GgufWriter.Write(_scratch["d.gguf"], [], [Tensor("t"), Tensor("u")]);
        var bytes = File.ReadAllBytes(_scratch["d.gguf"]);
        var second = bytes.AsSpan().IndexOf("u"u8);
        bytes[second + 1 + 4 + 8 + 4] = 0;
        File.WriteAllBytes(_scratch["d.gguf"], bytes);
        Assert.Equal("ATT3303", Assert.Throws<GgufException>(() => GgufFile.Open(_scratch["d.gguf"])).Code);
        bytes[second] = (byte)'t';
        File.WriteAllBytes(_scratch["d.gguf"], bytes);
        Assert.Equal("ATT3302", Assert.Throws<GgufException>(() => GgufFile.Open(_scratch["d.gguf"])).Code);

        static GgufSource Tensor(string name) => new(name, GgufType.F32, [8], stream => stream.Write(new byte[32]));
    }

    // Every byte as ggml's docs/gguf.md says: magic, version, counts, values, tensor (dimensions fastest first), padding, data.
    private static byte[] ByHand()
    {
        using var stream = new MemoryStream();
        using var writer = new BinaryWriter(stream);
        writer.Write("GGUF"u8);
        writer.Write(3u);
        writer.Write(1UL);
        writer.Write(3UL);
        Text("a");
        writer.Write(8u);
        Text("x");
        Text("n");
        writer.Write(4u);
        writer.Write(7u);
        Text("l");
        writer.Write(9u);
        writer.Write(6u);
        writer.Write(1UL);
        writer.Write(1.5f);
        Text("t");
        writer.Write(2u);
        writer.Write(2UL);
        writer.Write(1UL);
        writer.Write(0u);
        writer.Write(0UL);
        Pad();
        writer.Write(1f);
        writer.Write(-2f);
        Pad();
        return stream.ToArray();

        void Text(string text)
        {
            writer.Write((ulong)text.Length);
            writer.Write(Encoding.ASCII.GetBytes(text));
        }

        void Pad()
        {
            while (stream.Position % 32 != 0)
                writer.Write((byte)0);
        }
    }
}
