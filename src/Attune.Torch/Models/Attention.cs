using Attune.Core.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Models;

/// <summary>
/// Causal grouped-query attention (Ainslie et al. 2023) over a ragged batch: H query heads share K key and value heads,
/// and no token sees another row.
/// </summary>
public sealed class Attention : nn.Module<Tensor, TokenStream, RotaryTable, Tensor>
{
    [ComponentName(Name = "q_proj")]
    private readonly Projection _query;
    [ComponentName(Name = "k_proj")]
    private readonly Projection _key;
    [ComponentName(Name = "v_proj")]
    private readonly Projection _value;
    [ComponentName(Name = "o_proj")]
    private readonly Projection _output;

    private readonly int _heads, _keyValueHeads, _headSize;

    /// <param name="config">The decoder's shape.</param>
    public Attention(DecoderConfig config)
        : base(nameof(Attention))
    {
        (_heads, _keyValueHeads, _headSize) = (config.Heads, config.KeyValueHeads, config.HeadSize);
        _query = new(config.HiddenSize, _heads * _headSize);
        _key = new(config.HiddenSize, _keyValueHeads * _headSize);
        _value = new(config.HiddenSize, _keyValueHeads * _headSize);
        _output = new(_heads * _headSize, config.HiddenSize);
        RegisterComponents();
    }

    /// <summary>[H·C, D].</summary>
    public Projection Query => _query;

    /// <summary>[K·C, D].</summary>
    public Projection Key => _key;

    /// <summary>[K·C, D].</summary>
    public Projection Value => _value;

    /// <summary>[D, H·C].</summary>
    public Projection Output => _output;

    /// <summary>[N, D] → [N, D].</summary>
    public override Tensor forward(Tensor x_ND, TokenStream stream, RotaryTable rotary)
    {
        using var scope = NewDisposeScope();
        var q_NHC = rotary.Turn(_query.forward(x_ND).view(-1, _heads, _headSize), stream);
        var k_NKC = rotary.Turn(_key.forward(x_ND).view(-1, _keyValueHeads, _headSize), stream);
        var v_NKC = _value.forward(x_ND).view(-1, _keyValueHeads, _headSize);

        var (starts, prefixes) = (stream.Batch.Starts, stream.Batch.Prefixes);
        var rows = new Tensor[starts.Length - 1];
        for (var r = 0; r < rows.Length; r++)
        {
            var (start, length) = (starts[r], starts[r + 1] - starts[r]);
            var (query, group) = (HeadsFirst(q_NHC, start, length, 1), _heads / _keyValueHeads);
            Tensor key = HeadsFirst(k_NKC, start, length, group), value = HeadsFirst(v_NKC, start, length, group);
            Tensor y_1HTC;
            if (prefixes?[r] is { Length: > 0 } prefix)
            {
                // The row sees all of its prefix, and of itself what came before.
                key = cat([HeadsFirst(k_NKC, prefix.Start, prefix.Length, group), key], 2);
                value = cat([HeadsFirst(v_NKC, prefix.Start, prefix.Length, group), value], 2);
                var seen = ones(length, prefix.Length + length, dtype: ScalarType.Bool, device: x_ND.device).tril(prefix.Length);
                y_1HTC = nn.functional.scaled_dot_product_attention(query, key, value, seen);
            }
            else
            {
                y_1HTC = nn.functional.scaled_dot_product_attention(query, key, value, is_casual: true);
            }
            rows[r] = y_1HTC.squeeze(0).transpose(0, 1).reshape(length, _heads * _headSize);
        }
        return _output.forward(cat(rows, 0)).MoveToOuterDisposeScope();
    }

    private static Tensor HeadsFirst(Tensor x_NHC, int start, int length, int repeat)
    {
        var x_HTC = x_NHC.narrow(0, start, length).transpose(0, 1);
        return (repeat == 1 ? x_HTC : x_HTC.repeat_interleave(repeat, 0)).unsqueeze(0);
    }
}
