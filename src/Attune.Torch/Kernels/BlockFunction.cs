using Attune.Core.Checkpoints;
using Attune.Torch.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Kernels;

/// <summary>
/// A whole <see cref="DecoderBlock"/> as one function of autograd: x and nine weights in, y out. The weights are tensors,
/// whoever made them, so an adapter may pass effective ones.
/// </summary>
internal sealed unsafe class BlockFunction : autograd.SingleTensorFunction<BlockFunction>
{
    private const int Weights = 9;

    /// <inheritdoc/>
    public override string Name => nameof(BlockFunction);

    /// <summary>Whether the kernels have every part that the config asks of a layer: they are Llama's, its projections apart or fused.</summary>
    public static bool Covers(DecoderConfig config, int layer) =>
        config is { Norm: NormKind.Rms, NormPlacement: NormPlacement.Before, QueryKeyNorm: QueryKeyNorm.None, Activation: Activation.Silu, GatedFeedForward: true }
        && config is { AttentionBias: false, OutputBias: false, FeedForwardBias: false, ParallelResidual: false, RotatesNeighbours: false, RotaryShare: 1 }
        && config is { AttentionScale: null, AttentionSoftCap: null, ResidualScale: null, RopeScaling: null or { Kind: not "longrope" } }
        && config.Names is { Transposed: false, FusedByHead: false }
        && config.RotationOf(layer) != LayerRotation.None;

    /// <summary>Whether the kernels can run the block on x: float32, CPU, MKL at hand, contiguous weights.</summary>
    public static bool Fits(Tensor x_ND, DecoderBlock block) =>
        Gemm.Available && TensorMemory.IsPlain(x_ND) && TensorMemory.IsPlain(block.AttentionNorm!.Weight) && TensorMemory.IsPlain(block.FeedForwardNorm!.Weight)
        && Array.TrueForAll(MatricesOf(block), m => m.HasEffective && (m.Held is not null || TensorMemory.IsPlain(m.Weight)));

    /// <summary>[N, D] → [N, D], or [M, D] where only some rows go on.</summary>
    public static Tensor Run(Tensor x_ND, DecoderBlock block, TokenStream stream, RotaryTable rotary, NeededRows? needed)
    {
        // Names made on the way end here; what backward needs is held by the graph alone, and by nobody without a graph.
        using var scope = NewDisposeScope();
        rotary.Reach(stream.Plan.Reach);
        var shape = block.ShapeFor(stream.Tokens, needed?.Count ?? stream.Tokens);
        object[] arguments = [x_ND, .. WeightsOf(block, shape), shape, stream.Plan, rotary, needed!];
        return apply(arguments).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor forward(autograd.AutogradContext context, params object[] arguments)
    {
        var x_ND = (Tensor)arguments[0];
        var weights = arguments.AsSpan(1, Weights).ToArray().Cast<Tensor>().ToArray();
        var (shape, plan, rotary, needed) = Settings(arguments);
        var saved = empty(shape.SavedLength, dtype: float32);
        var y_MD = empty(shape.M, shape.D, dtype: float32);
        BlockForward.Run(shape, Pointers(weights), plan, rotary, needed, TensorMemory.Floats(x_ND), BlockSaved.Of(TensorMemory.Floats(saved), shape), TensorMemory.Floats(y_MD));

        context.save_for_backward([x_ND, saved, .. weights]);
        context.save_data("settings", arguments[(1 + Weights)..]);
        context.save_data("wanted", weights.Select(w => w.requires_grad).ToArray());
        return y_MD;
    }

    /// <inheritdoc/>
    public override List<Tensor> backward(autograd.AutogradContext context, Tensor dY_MD)
    {
        using var scope = NewDisposeScope();
        var kept = context.get_saved_variables();
        var (x_ND, saved, weights) = (kept[0], kept[1], kept[2..].ToArray());
        var wanted = (bool[])context.get_data("wanted");
        var (shape, plan, rotary, needed) = Settings((object[])context.get_data("settings"), 0);

        var dX_ND = empty_like(x_ND);
        var gradients = weights.Select((w, i) => wanted[i] ? empty_like(w) : null).ToArray();
        BlockBackward.Run(shape, Pointers(weights), Pointers(gradients), plan, rotary, needed,
            TensorMemory.Floats(x_ND), BlockSaved.Of(TensorMemory.Floats(saved), shape), TensorMemory.Floats(dY_MD.contiguous()), TensorMemory.Floats(dX_ND));

        return Handover.End(context, dY_MD, [dX_ND, .. gradients, null, null, null, null]);
    }

    private static MatrixLayer[] MatricesOf(DecoderBlock block) =>
    [
        .. block.Attention.QueryKeyValue is { } fused ? [fused] : (MatrixLayer[])[block.Attention.Query!, block.Attention.Key!, block.Attention.Value!],
        block.Attention.Output,
        .. block.FeedForward.GateUp is { } together ? [together] : (MatrixLayer[])[block.FeedForward.Gate!, block.FeedForward.Up!],
        block.FeedForward.Down,
    ];

    // A fused matrix is cut into views of its rows; autograd puts their gradients together again.
    private static Tensor[] WeightsOf(DecoderBlock block, BlockShape shape)
    {
        var kv = shape.K * shape.C;
        var qkv = block.Attention.QueryKeyValue is { } fused
            ? Cut(fused, shape.Queries, kv, kv)
            : [block.Attention.Query!.Effective()!, block.Attention.Key!.Effective()!, block.Attention.Value!.Effective()!];
        var gateUp = block.FeedForward.GateUp is { } together
            ? Cut(together, shape.F, shape.F)
            : [block.FeedForward.Gate!.Effective()!, block.FeedForward.Up!.Effective()!];
        return
        [
            block.AttentionNorm!.Weight, .. qkv, block.Attention.Output.Effective()!,
            block.FeedForwardNorm!.Weight, .. gateUp, block.FeedForward.Down.Effective()!,
        ];
    }

    private static Tensor[] Cut(MatrixLayer layer, params ReadOnlySpan<int> rows)
    {
        var (whole, parts, first) = (layer.Effective()!, new Tensor[rows.Length], 0L);
        for (var i = 0; i < parts.Length; i++)
        {
            parts[i] = whole.narrow(0, first, rows[i]);
            first += rows[i];
        }
        return parts;
    }

    private static BlockWeights Pointers(ReadOnlySpan<Tensor?> t)
    {
        return new()
        {
            InputNorm = At(t[0]), Query = At(t[1]), Key = At(t[2]), Value = At(t[3]), Output = At(t[4]),
            PostAttentionNorm = At(t[5]), Gate = At(t[6]), Up = At(t[7]), Down = At(t[8]),
        };

        static float* At(Tensor? tensor) => tensor is null ? null : TensorMemory.Floats(tensor);
    }

    private static (BlockShape, RowPlan, RotaryTable, NeededRows?) Settings(object[] arguments, int first = 1 + Weights) =>
        ((BlockShape)arguments[first], (RowPlan)arguments[first + 1], (RotaryTable)arguments[first + 2], (NeededRows?)arguments[first + 3]);
}
