using Attune.Core.Checkpoints;
using Attune.Core.Versions;
using TorchSharp;

namespace Attune.Torch.Models;

/// <summary>What a stage tunes: a language model, or a reward model on the same body.</summary>
public interface ITunable
{
    /// <summary>The shape.</summary>
    DecoderConfig Config { get; }

    /// <summary>Embedding, blocks and final norm.</summary>
    DecoderBody Body { get; }

    /// <summary>The adapters on it, or null. They are the model's to dispose.</summary>
    Lora? Lora { get; set; }

    /// <summary>The files that it was read from, or null: where a matrix is read again in full when the model is written.</summary>
    ModelFiles? Source { get; set; }
}
