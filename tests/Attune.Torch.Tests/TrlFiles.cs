using System.Text.Json;
using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using Attune.Testing;

namespace Attune.Torch.Tests;

/// <summary>What the files under vectors/trl belong to.</summary>
public static class TrlFiles
{
    /// <summary>The model that TRL's files start from: the one whose tensors are those of the reference model beside them.</summary>
    public static ModelFiles Policy(string file)
    {
        using var reference = SafetensorsFile.Open(Path.Combine(Path.GetDirectoryName(file)!, "reference.safetensors"));
        return SharedData.FoldersWith(ModelFiles.Weights, "vectors", "models").Select(ModelFiles.OfFolder).First(m => IsOfTheShapeOf(m, reference));
    }

    private static bool IsOfTheShapeOf(ModelFiles model, SafetensorsFile reference)
    {
        if (JsonDocument.Parse(File.ReadAllText(model.Require(ModelFiles.Config))).RootElement.GetProperty("architectures")[0].GetString() != "LlamaForCausalLM")
            return false;
        using var weights = SafetensorsFile.Open(model.Require(ModelFiles.Weights));
        return weights.Tensors.Select(t => (t.Name, t.ShapeText)).Order().SequenceEqual(reference.Tensors.Select(t => (t.Name, t.ShapeText)).Order());
    }
}
