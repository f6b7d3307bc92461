using System.Diagnostics;
using System.Globalization;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Torch.Models;
using Attune.Torch.Native;
using TorchSharp;

namespace Attune.Bench;

/// <summary>
/// What opening a checkpoint and loading it for training take beside the weights themselves. Memory is the process's
/// anonymous pages (RssAnon in /proc/self/status): mapped pages of the file, which the system may drop at any time, do not
/// count, everything else does, libtorch's included. A thread looks every millisecond for the peak.
/// </summary>
internal static class LoadBench
{
    public static int Run(string[] args)
    {
        var layers = args is [var given, ..] ? int.Parse(given, CultureInfo.InvariantCulture) : 12;
        if (!OperatingSystem.IsLinux())
        {
            Console.Error.WriteLine("This benchmark reads /proc/self/status, which only Linux has.");
            return 1;
        }
        TorchRuntime.Initialise(1);
        var config = new DecoderConfig
        {
            VocabularySize = 32_000, HiddenSize = 1024, IntermediateSize = 2816, Layers = layers, Heads = 16, KeyValueHeads = 4, HeadSize = 64, ContextLength = 2048,
        };
        var folder = Directory.CreateTempSubdirectory("attune-load-").FullName;
        try
        {
            Console.WriteLine("| file | bytes | opening: managed, anonymous | share of the file | trained in | weights | peak while loading | times the weights | seconds |");
            Console.WriteLine("|---|---|---|---|---|---|---|---|---|");
            foreach (var type in (TensorType[])[TensorType.BF16, TensorType.F16, TensorType.F32])
            {
                Write(folder, config, type);
                var files = ModelFiles.OfFolder(folder);
                // The first load compiles what the others run: it counts for nothing.
                if (type == TensorType.BF16)
                    _ = Measure(files, config, type, torch.ScalarType.Float32);
                foreach (var dtype in (torch.ScalarType[])[torch.ScalarType.Float32, torch.ScalarType.BFloat16])
                    Console.WriteLine(Measure(files, config, type, dtype));
            }
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static string Measure(ModelFiles files, DecoderConfig config, TensorType type, torch.ScalarType dtype)
    {
        var length = new FileInfo(files.Require(ModelFiles.Weights)).Length;
        Settle();
        var (managed, anonymous) = (GC.GetAllocatedBytesForCurrentThread(), MemoryWatch.Now().Anonymous);
        using (WeightFiles.Open(files))
            (managed, anonymous) = (GC.GetAllocatedBytesForCurrentThread() - managed, Math.Max(0, MemoryWatch.Now().Anonymous - anonymous));

        Settle();
        var before = MemoryWatch.Now().Anonymous;
        using var watch = new MemoryWatch();
        var start = Stopwatch.GetTimestamp();
        using var decoder = DecoderFiles.Load(files, dtype: dtype);
        var (seconds, most) = (Stopwatch.GetElapsedTime(start).TotalSeconds, watch.Lap().Anonymous - before);
        var weights = config.Parameters * (dtype == torch.ScalarType.Float32 ? 4 : 2);
        return string.Create(CultureInfo.InvariantCulture,
            $"| {type} | {length / 1e6:F0} MB | {managed / 1e3:F0} kB, {anonymous / 1e3:F0} kB | {(double)Math.Max(managed, anonymous) / length:P2} | {DecoderFiles.DtypeName(dtype)} | {weights / 1e6:F0} MB | {most / 1e6:F0} MB | {(double)most / weights:F3} | {seconds:F2} |");
    }

    private static void Settle()
    {
        GC.Collect(2, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        Thread.Sleep(50);
    }

    private static void Write(string folder, DecoderConfig config, TensorType type)
    {
        // Small values of either sign in every type; which ones does not matter here.
        var (bytes, width) = (new byte[1 << 16], type.Bits() / 8);
        for (var i = 0; i < bytes.Length; i++)
            bytes[i] = i % width == width - 1 ? (byte)0x3C : (byte)(i * 31);
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), config with { Dtype = type switch { TensorType.BF16 => "bfloat16", TensorType.F16 => "float16", _ => "float32" } });
        SafetensorsWriter.Write(Path.Combine(folder, ModelFiles.Weights), TensorNames.All(config).Select(t =>
        {
            var length = t.Shape.Aggregate((long)type.Bits() / 8, (product, size) => product * size);
            return new TensorSource(t.Name, type, t.Shape, stream =>
            {
                for (var left = length; left > 0; left -= Math.Min(left, bytes.Length))
                    stream.Write(bytes, 0, (int)Math.Min(left, bytes.Length));
            });
        }));
    }
}
