using Attune.Core.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// Causal grouped-query attention (Ainslie et al. 2023) over a ragged batch: H query heads share K key and value heads,
/// and no token sees another row. What the family adds is on where the config says so: biases, one fused matrix, norms on
/// queries and keys, a window, a cap on the scores, another scale.
/// </summary>
public sealed class Attention : nn.Module<Tensor, TokenStream, RotaryTable?, Tensor>
{
    private readonly Projection? _query, _key, _value, _queryKeyValue;
    private readonly Projection _output;
    private readonly Norm? _queryNorm, _keyNorm;

    private readonly int _heads, _keyValueHeads, _headSize;
    private readonly int? _window;
    private readonly bool _byHead, _normsWhole;
    private readonly double _scale;
    private readonly double? _cap;

    /// <param name="config">The decoder's shape.</param>
    /// <param name="layer">The index of the block.</param>
    public Attention(DecoderConfig config, int layer)
        : base(nameof(Attention))
    {
        (_heads, _keyValueHeads, _headSize) = (config.Heads, config.KeyValueHeads, config.HeadSize);
        (_window, _cap, _scale) = (config.WindowOf(layer), config.AttentionSoftCap, config.AttentionScale ?? 1 / Math.Sqrt(_headSize));
        var (names, d, q, kv) = (config.Names, config.HiddenSize, _heads * _headSize, _keyValueHeads * _headSize);
        if (names.QueryKeyValue is { } fused)
        {
            _byHead = names.FusedByHead;
            register_module(fused, _queryKeyValue = new(d, q + 2 * kv, config.AttentionBias, names.Transposed));
        }
        else
        {
            register_module(names.Query, _query = new(d, q, config.AttentionBias, names.Transposed));
            register_module(names.Key, _key = new(d, kv, config.AttentionBias, names.Transposed));
            register_module(names.Value, _value = new(d, kv, config.AttentionBias, names.Transposed));
        }
        register_module(names.Output, _output = new(q, d, config.OutputBias, names.Transposed));
        if (config.QueryKeyNorm == QueryKeyNorm.None)
            return;
        _normsWhole = config.QueryKeyNorm == QueryKeyNorm.Whole;
        register_module(names.QueryNorm, _queryNorm = Norm.Of(config, _normsWhole ? q : _headSize));
        register_module(names.KeyNorm, _keyNorm = Norm.Of(config, _normsWhole ? kv : _headSize));
    }

    /// <summary>[H·C, D]; null where the three are one.</summary>
    public Projection? Query => _query;

    /// <summary>[K·C, D].</summary>
    public Projection? Key => _key;

    /// <summary>[K·C, D].</summary>
    public Projection? Value => _value;

    /// <summary>[(H + 2K)·C, D]; null where there are three.</summary>
    public Projection? QueryKeyValue => _queryKeyValue;

    /// <summary>[D, H·C].</summary>
    public Projection Output => _output;

    /// <summary>[N, D] → [N, D].</summary>
    public override Tensor forward(Tensor x_ND, TokenStream stream, RotaryTable? rotary)
    {
        using var scope = NewDisposeScope();
        var (q_NHC, k_NKC, v_NKC) = Project(x_ND);
        if (rotary is not null)
            (q_NHC, k_NKC) = (rotary.Turn(q_NHC, stream), rotary.Turn(k_NKC, stream));
        // libtorch scales by 1/√C.
        if (_cap is null && _scale != 1 / Math.Sqrt(_headSize))
            q_NHC = q_NHC * (_scale * Math.Sqrt(_headSize));

        var (starts, prefixes) = (stream.Batch.Starts, stream.Batch.Prefixes);
        var rows = new Tensor[starts.Length - 1];
        for (var r = 0; r < rows.Length; r++)
        {
            var (start, length) = (starts[r], starts[r + 1] - starts[r]);
            var (query, group, prefix) = (HeadsFirst(q_NHC, start, length, 1), _heads / _keyValueHeads, prefixes?[r] ?? default);
            Tensor key = HeadsFirst(k_NKC, start, length, group), value = HeadsFirst(v_NKC, start, length, group);
            if (prefix.Length > 0)
            {
                // The row sees all of its prefix, and of itself what came before.
                key = cat([HeadsFirst(k_NKC, prefix.Start, prefix.Length, group), key], 2);
                value = cat([HeadsFirst(v_NKC, prefix.Start, prefix.Length, group), value], 2);
            }
            var y_1HTC = _cap is { } cap ? Capped(query, key, value, prefix.Length, cap)
                : prefix.Length > 0 || length > _window ? nn.functional.scaled_dot_product_attention(query, key, value, Visible(length, prefix.Length, x_ND.device))
                : nn.functional.scaled_dot_product_attention(query, key, value, is_casual: true);
            rows[r] = y_1HTC.squeeze(0).transpose(0, 1).reshape(length, _heads * _headSize);
        }
        return _output.forward(cat(rows, 0)).MoveToOuterDisposeScope();
    }

    private (Tensor Q_NHC, Tensor K_NKC, Tensor V_NKC) Project(Tensor x_ND)
    {
        var (q, k, v) = _queryKeyValue is null ? (_query!.forward(x_ND), _key!.forward(x_ND), _value!.forward(x_ND)) : Split(_queryKeyValue.forward(x_ND));
        if (_normsWhole)
            (q, k) = (_queryNorm!.forward(q.contiguous()), _keyNorm!.forward(k.contiguous()));
        else if (_queryNorm is not null)
            (q, k) = (_queryNorm.forward(q.reshape(-1, _headSize)), _keyNorm!.forward(k.reshape(-1, _headSize)));
        return (q.reshape(-1, _heads, _headSize), k.reshape(-1, _keyValueHeads, _headSize), v.reshape(-1, _keyValueHeads, _headSize));
    }

    private (Tensor Q, Tensor K, Tensor V) Split(Tensor x)
    {
        if (_byHead)
        {
            var parts_3NHC = x.view(-1, _heads, 3, _headSize).unbind(2);
            return (parts_3NHC[0], parts_3NHC[1], parts_3NHC[2]);
        }
        var (q, kv) = (_heads * _headSize, _keyValueHeads * _headSize);
        return (x.narrow(1, 0, q), x.narrow(1, q, kv), x.narrow(1, q + kv, kv));
    }

    /// <summary>cap · tanh(score / cap) before the mask (Gemma 2), which libtorch's function does not have.</summary>
    private Tensor Capped(Tensor q_1HTC, Tensor k_1HTC, Tensor v_1HTC, int prefix, double cap)
    {
        var scores_1HTT = (q_1HTC.matmul(k_1HTC.transpose(-1, -2)) * (_scale / cap)).tanh() * cap;
        var hidden_TT = Visible((int)q_1HTC.shape[2], prefix, q_1HTC.device).logical_not();
        var weights_1HTT = scores_1HTT.masked_fill(hidden_TT, double.NegativeInfinity).softmax(-1, q_1HTC.dtype == ScalarType.Float64 ? float64 : float32);
        return weights_1HTT.to(v_1HTC.dtype).matmul(v_1HTC);
    }

    /// <summary>Which keys (columns, the prefix first) each query (row) sees: those before it and itself, as far as the window reaches.</summary>
    private Tensor Visible(int length, int prefix, Device device)
    {
        var causal_TU = ones(length, prefix + length, dtype: ScalarType.Bool, device: device).tril(prefix);
        return _window is { } window && prefix + length > window ? causal_TU.triu(prefix + 1 - window) : causal_TU;
    }

    private static Tensor HeadsFirst(Tensor x_NHC, int start, int length, int repeat)
    {
        var x_HTC = x_NHC.narrow(0, start, length).transpose(0, 1);
        return (repeat == 1 ? x_HTC : x_HTC.repeat_interleave(repeat, 0)).unsqueeze(0);
    }

    /// <summary>Does nothing: the parts were registered by their family's names, and not by those of the fields.</summary>
    protected override void RegisterComponents()
    {
    }
}
