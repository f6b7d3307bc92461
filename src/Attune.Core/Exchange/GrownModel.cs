using Attune.Core.Checkpoints;
using Attune.Core.Tokens;
using Attune.Core.Versions;

namespace Attune.Core.Exchange;

/// <summary>
/// A model with further special tokens: tokenizer, embedding and head grown alike. A new row starts at the mean of those of all
/// tokens, as transformers' <c>resize_token_embeddings</c> starts it: the model then finds a new token neither likely nor unlikely
/// (Hewitt 2021, "Initializing New Word Embeddings for Pretrained Language Models").
/// </summary>
public static class GrownModel
{
    // Bytes at a time.
    private const int Piece = 1 << 24;

    /// <summary>Writes what changes of the model (config.json, tokenizer.json, weights) into a folder; the rest stays where it is.</summary>
    /// <param name="model">The model. Where its matrices have rows to spare, those are used before new ones are made.</param>
    /// <param name="tokens">Texts of the tokens; those that the tokenizer has already change nothing.</param>
    /// <param name="folder">Made where it is missing.</param>
    /// <returns>The grown model; its prompt contract, which is of the old tokenizer, is left out and made anew from the template.</returns>
    /// <exception cref="CheckpointException">A file is broken or cannot be written.</exception>
    /// <exception cref="TokenException">ATT2502: a text is empty.</exception>
    public static ModelFiles Write(ModelFiles model, IReadOnlyList<string> tokens, string folder)
    {
        var config = HuggingFaceConfig.Read(model.Require(ModelFiles.Config));
        var before = Tokenizer.Load(model.Require(ModelFiles.Tokenizer));
        if (before.VocabularySize > config.VocabularySize)
            throw ModelImport.MoreTokensThanRows(before, config, model);
        var tokenizer = before.WithSpecialTokens(tokens);
        var grown = config with { VocabularySize = Math.Max(config.VocabularySize, tokenizer.VocabularySize) };
        Directory.CreateDirectory(folder);
        tokenizer.Save(Path.Combine(folder, ModelFiles.Tokenizer));
        HuggingFaceConfig.Write(Path.Combine(folder, ModelFiles.Config), grown);
        using (var weights = WeightFiles.Open(model))
        {
            TensorNames.Check(config, weights);
            WeightFiles.Write(folder, TensorNames.Parts(grown).Select(part =>
                new TensorSource(part.Name, weights[part.Name].Type, part.Shape, part.Part is DecoderPart.Embedding or DecoderPart.Head
                    ? stream => WriteRows(weights, part, before, tokenizer, stream)
                    : stream => Copy(weights, part.Name, stream))));
        }
        var made = ModelFiles.OfFolder(folder).Paths;
        var kept = model.Paths.Where(f => f.Key != ModelFiles.PromptContract && !WeightFiles.IsOne(f.Key) && !made.ContainsKey(f.Key));
        return new(made.Concat(kept).ToDictionary(StringComparer.Ordinal), model.Description);
    }

    /// <summary>[V, D] with a row for each id of the grown tokenizer.</summary>
    private static void WriteRows(WeightFiles weights, DecoderTensor part, Tokenizer before, Tokenizer grown, Stream stream)
    {
        var (info, width) = (weights[part.Name], (int)part.Shape[1]);
        var rowBytes = width * info.Type.Bits() / 8;
        var mean = new byte[rowBytes];
        FloatConversion.TryConvert(TensorType.F32, System.Runtime.InteropServices.MemoryMarshal.AsBytes(Mean(weights, part.Name, width, before).AsSpan()), info.Type, mean);
        for (var row = 0L; row < part.Shape[0]; row++)
        {
            var isNew = !before.HasId((int)row) && grown.HasId((int)row);
            stream.Write(isNew ? mean : weights.Bytes(part.Name, row * rowBytes, rowBytes));
        }
        weights.LetGo(part.Name);
    }

    // Of tokens alone: rows that only fill a matrix up were never trained.
    private static float[] Mean(WeightFiles weights, string name, int width, Tokenizer tokenizer)
    {
        var (sum, row, count) = (new double[width], new float[width], 0);
        for (var id = 0; id < tokenizer.VocabularySize; id++)
        {
            if (!tokenizer.HasId(id))
                continue;
            weights.ReadFloats(name, (long)id * width, row);
            for (var i = 0; i < width; i++)
                sum[i] += row[i];
            count++;
        }
        return Array.ConvertAll(sum, s => (float)(s / count));
    }

    private static void Copy(WeightFiles weights, string name, Stream stream)
    {
        var length = weights[name].Count * weights[name].Type.Bits() / 8;
        for (var at = 0L; at < length; at += Piece)
            stream.Write(weights.Bytes(name, at, (int)Math.Min(Piece, length - at)));
        weights.LetGo(name);
    }
}
