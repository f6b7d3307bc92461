using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Text.Json.Nodes;
using Attune.Core.Versions;

namespace Attune.App.Runs;

/// <summary>The machine that a report was made on.</summary>
internal static class MachineFacts
{
    /// <summary>Processor, system, and the matmul ceiling that the runs of these versions measured.</summary>
    public static JsonObject Of(ModelStore? store, IEnumerable<ModelVersion?> versions)
    {
        var ceiling = versions.OfType<ModelVersion>()
            .SelectMany(v => store!.Reports(v.Digest))
            .Where(r => r.Kind == "run")
            .Select(r => (double?)JsonNode.Parse(File.ReadAllText(r.Path))?["ceiling_flops"])
            .Max();
        return new JsonObject
        {
            ["os"] = RuntimeInformation.OSDescription,
            ["architecture"] = RuntimeInformation.ProcessArchitecture.ToString(),
            ["cores"] = Environment.ProcessorCount,
            ["vector_bits"] = Vector512.IsHardwareAccelerated ? 512 : Vector256.IsHardwareAccelerated ? 256 : 128,
            ["runtime"] = RuntimeInformation.FrameworkDescription,
            ["matmul_ceiling_gflops"] = ceiling is { } flops ? Math.Round(flops / 1e9, 1) : null,
        };
    }
}
