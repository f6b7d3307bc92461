using System.Buffers.Binary;
using System.Text;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using CsCheck;
using Xunit;

namespace Attune.Core.Tests.Checkpoints;

public sealed class SafetensorsTests : IDisposable
{
    private readonly Scratch _scratch = new();

    public void Dispose() => _scratch.Dispose();

    [Fact]
    public void What_was_written_is_read_back()
    {
        float[] values = [1, -2, 3.5f, float.MinValue, float.Epsilon, 0];
        SafetensorsWriter.Write(_scratch["m"], [
            TensorSource.Of("b", [2, 3], values),
            TensorSource.OfBFloat16("a", [6], values),
            TensorSource.Of("ids", TensorType.I64, [1], new byte[8]),
            TensorSource.Of("empty", [0, 5], ReadOnlyMemory<float>.Empty)]);
        using var file = SafetensorsFile.Open(_scratch["m"]);

        Assert.Equal(["ids", "b", "empty", "a"], file.Tensors.Select(t => t.Name));
        Assert.Equal("pt", file.Metadata["format"]);
        var read = new float[6];
        file.ReadFloats("b", read);
        Assert.Equal(values, read);
        file.ReadFloats("b", 2, read.AsSpan(0, 2));
        Assert.Equal(values[2..4], read[..2]);
        file.ReadFloats("a", read);
        Assert.Equal([1, -2, 3.5f, float.NegativeInfinity, 0, 0], read);
        Assert.Equal("ATT2022", Assert.Throws<UnsupportedCheckpointException>(() => file.ReadFloats("ids", new float[1])).Code);
        Assert.Equal("ATT2013", Assert.Throws<CheckpointException>(() => file.Bytes("none").Length).Code);
    }

    [Fact]
    public void Equal_tensors_in_any_order_give_equal_bytes()
    {
        TensorSource[] tensors = [.. Enumerable.Range(0, 12).Select(i => TensorSource.Of($"layer.{i}", [i], new float[i]))];
        SafetensorsWriter.Write(_scratch["a"], tensors);
        SafetensorsWriter.Write(_scratch["b"], tensors.Reverse());
        Assert.Equal(Digests.Sha256Of(_scratch["a"]), Digests.Sha256Of(_scratch["b"]));
    }

    [Fact]
    public void A_tensor_of_the_wrong_length_or_twice_leaves_nothing()
    {
        foreach (TensorSource[] tensors in (TensorSource[][])[
            [TensorSource.Of("a", [4], new float[3])],
            [TensorSource.Of("a", [1], new float[1]), TensorSource.Of("a", [1], new float[1])]])
        {
            Assert.Equal("ATT2011", Assert.Throws<CheckpointException>(() => SafetensorsWriter.Write(_scratch["m"], tensors)).Code);
            Assert.False(File.Exists(_scratch["m"]));
        }
    }

    [Theory]
    [InlineData("""{"a":{"dtype":"F32","shape":[1152921504606846976],"data_offsets":[0,4611686018427387904]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[268435456],"data_offsets":[0,1073741824]}}""", "ATT2012", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1152921504606846976,1152921504606846976],"data_offsets":[0,8]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775807]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "ATT2010", "b")]
    [InlineData("""{"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}""", "ATT2010", "b")]
    [InlineData("""{"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}""", "ATT2010", "header")]
    [InlineData("""{"u":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F16","shape":[3],"data_offsets":[1,7]}}""", "ATT2010", "b")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}}""", "ATT2022", "a")]
    [InlineData("""{"a":{"dtype":5,"shape":[2],"data_offsets":[0,8]}}""", "ATT2010", "header")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2]}}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[[[[2]]]],"data_offsets":[0,8]}}""", "ATT2010", "a")]
    [InlineData("""{"a":[]}""", "ATT2010", "a")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}""", "ATT2010", "header")]
    [InlineData("""{"__metadata__":{"x":1},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""", "ATT2010", "__metadata__.x")]
    public void A_lying_header_is_refused_with_the_field(string header, string code, string field)
    {
        var e = Assert.ThrowsAny<CheckpointException>(() => SafetensorsFile.Open(Raw(header, new byte[8])));
        Assert.Equal((code, field), (e.Code, e.Field));
        Assert.Equal(_scratch["raw"], e.File);
    }

    [Theory]
    [InlineData(new byte[0])]
    [InlineData(new byte[] { 1, 2, 3 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 255, 255, 255, 255, (byte)'{' })]
    [InlineData(new byte[] { 0, 0, 0, 5, 0, 0, 0, 0, (byte)'{' })]
    [InlineData(new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 })]
    public void A_file_that_is_not_one_is_refused_without_allocating_what_it_claims(byte[] bytes)
    {
        File.WriteAllBytes(_scratch["raw"], bytes);
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal("ATT2010", Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_scratch["raw"])).Code);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1_000_000);
    }

    [Fact]
    public void Opening_allocates_less_than_a_tenth_of_the_file()
    {
        SafetensorsWriter.Write(_scratch["m"], Enumerable.Range(0, 200).Select(i => TensorSource.Of($"model.layers.{i}.weight", [64, 128], new float[64 * 128])));
        SafetensorsFile.Open(_scratch["m"]).Dispose();
        var before = GC.GetAllocatedBytesForCurrentThread();
        SafetensorsFile.Open(_scratch["m"]).Dispose();
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, new FileInfo(_scratch["m"]).Length / 10);
    }

    [Fact]
    public void Any_damage_to_a_sound_file_is_refused_or_harmless()
    {
        SafetensorsWriter.Write(_scratch["m"], [TensorSource.Of("a", [4, 4], new float[16]), TensorSource.OfBFloat16("b", [3], new float[3])]);
        var sound = File.ReadAllBytes(_scratch["m"]);
        Gen.Select(Gen.Int[0, sound.Length - 1], Gen.Byte, Gen.Int[0, 1]).Sample((place, value, cut) =>
        {
            var path = _scratch[Guid.NewGuid().ToString("N")];
            var damaged = cut == 1 ? sound[..place] : (byte[])sound.Clone();
            if (cut == 0)
                damaged[place] = value;
            File.WriteAllBytes(path, damaged);
            try
            {
                using var file = SafetensorsFile.Open(path);
                foreach (var tensor in file.Tensors)
                    _ = file.Bytes(tensor.Name).Length;
            }
            catch (CheckpointException e)
            {
                Assert.Equal(path, e.File);
            }
            File.Delete(path);
        }, iter: 4000, seed: "0000000000000");
    }

    [Theory]
    [InlineData("PK\u0003\u0004 a zip")]
    [InlineData("\u001f")]
    public void A_pickle_in_disguise_is_refused_with_the_way_to_convert(string start)
    {
        byte[] bytes = start[0] == 'P' ? Encoding.Latin1.GetBytes(start.PadRight(40)) : [0x80, 2, 0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a];
        File.WriteAllBytes(_scratch["model.safetensors"], bytes);
        var e = Assert.Throws<CheckpointException>(() => SafetensorsFile.Open(_scratch["model.safetensors"]));
        Assert.Equal("ATT2014", e.Code);
        Assert.Contains("save_pretrained", e.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_header_whose_length_looks_like_gzip_is_still_a_header()
    {
        var header = """{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}""".PadRight(0x8b1f);
        using var file = SafetensorsFile.Open(Raw(header, new byte[8]));
        Assert.Equal("a", Assert.Single(file.Tensors).Name);
    }

    [Fact]
    public void Shards_give_one_view_and_a_list_that_lies_is_refused()
    {
        SafetensorsWriter.Write(_scratch["s1"], [TensorSource.Of("a", [1], new float[] { 1 })]);
        SafetensorsWriter.Write(_scratch["s2"], [TensorSource.Of("b", [1], new float[] { 2 })]);
        _scratch.Write(WeightFiles.Index, """{"weight_map":{"a":"s1","b":"s2"}}""");
        using (var weights = WeightFiles.Open(ModelFiles.OfFolder(_scratch.Folder)))
        {
            var value = new float[1];
            weights.ReadFloats("b", value);
            Assert.Equal(2, value[0]);
            Assert.Equal(["a", "b"], weights.Tensors.Select(t => t.Name));
        }
        foreach (var (map, field) in ((string, string)[])[("""{"a":"s1","b":"s1"}""", "b"), ("""{"a":"s1","b":"../s2"}""", "../s2"), ("""{"a":"s1","c":"s2"}""", "c")])
        {
            _scratch.Write(WeightFiles.Index, $$"""{"weight_map":{{map}}}""");
            var e = Assert.Throws<CheckpointException>(() => WeightFiles.Open(ModelFiles.OfFolder(_scratch.Folder)));
            Assert.Equal(("ATT2015", field), (e.Code, e.Field));
        }
    }

    [Fact]
    public void A_model_without_weights_says_so() =>
        Assert.Equal("ATT2002", Assert.Throws<Attune.Prompts.AttuneException>(() => WeightFiles.Open(ModelFiles.OfFolder(_scratch.Folder))).Code);

    private string Raw(string header, byte[] data)
    {
        var bytes = new byte[8 + Encoding.UTF8.GetByteCount(header) + data.Length];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, bytes.Length - 8 - data.Length);
        Encoding.UTF8.GetBytes(header, bytes.AsSpan(8));
        data.CopyTo(bytes.AsSpan(bytes.Length - data.Length));
        File.WriteAllBytes(_scratch["raw"], bytes);
        return _scratch["raw"];
    }
}
