using Attune.Core.Checkpoints;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Bench;

/// <summary>
/// The baseline: a decoder of the Llama family as a tutorial writes it, on rows that are padded to one length. It runs on
/// the parameters of the model that it is compared with, through autograd and libtorch's own operations, attention
/// included; every position's logits are computed. B rows, T positions, the rest as in <see cref="Torch.Models.Decoder"/>.
/// </summary>
internal sealed class PaddedModel
{
    private readonly DecoderConfig _config;
    private readonly Dictionary<string, Tensor> _weights;
    private readonly Tensor _cos, _sin;

    public PaddedModel(DecoderConfig config, nn.Module module)
    {
        _config = config;
        _weights = module.named_parameters().ToDictionary(p => p.name, p => (Tensor)p.parameter, StringComparer.Ordinal);
        using var scope = NewDisposeScope();
        var half = config.HeadSize / 2;
        var rates = (arange(0, half, dtype: float32) * (-Math.Log(config.RopeTheta) / half)).exp();
        var angles_TC = arange(0, config.ContextLength, dtype: float32).unsqueeze(1) * cat([rates, rates]).unsqueeze(0);
        (_cos, _sin) = (angles_TC.cos().DetachFromDisposeScope(), angles_TC.sin().DetachFromDisposeScope());
    }

    /// <summary>Keys and values of the positions so far, for each layer [B, K, T, C].</summary>
    public sealed class Cache
    {
        public List<(Tensor Keys, Tensor Values)> Layers { get; } = [];
    }

    /// <summary>Normalised hidden states [B, T, D].</summary>
    /// <param name="ids_BT">Token ids, padded.</param>
    /// <param name="real_BT">1 where a position is no padding; with a cache, of all positions so far.</param>
    /// <param name="cache">Takes and gives keys and values while generating, or null.</param>
    public Tensor Hidden(Tensor ids_BT, Tensor real_BT, Cache? cache = null)
    {
        using var scope = NewDisposeScope();
        var (rows, length, total) = (ids_BT.shape[0], ids_BT.shape[1], real_BT.shape[1]);
        // Positions count real tokens, so that padding on the left moves nothing.
        var positions_BT = (real_BT.cumsum(1) - 1).clamp(min: 0).narrow(1, total - length, length);
        var (cos_BTC, sin_BTC) = (_cos.index_select(0, positions_BT.flatten()).view(rows, 1, length, -1), _sin.index_select(0, positions_BT.flatten()).view(rows, 1, length, -1));
        var causal_TT = ones(total, total, dtype: ScalarType.Bool).tril().narrow(0, total - length, length);
        // A padded query sees itself, or its softmax would be of nothing.
        var mask = causal_TT.unsqueeze(0).logical_and(real_BT.to(ScalarType.Bool).unsqueeze(1)).logical_or(eye(total, dtype: ScalarType.Bool).narrow(0, total - length, length)).unsqueeze(1);
        var x_BTD = _weights["model.embed_tokens.weight"].index_select(0, ids_BT.flatten()).view(rows, length, -1);
        for (var layer = 0; layer < _config.Layers; layer++)
        {
            var prefix = FormattableString.Invariant($"model.layers.{layer}.");
            var y_BTD = Norm(x_BTD, prefix + "input_layernorm.weight");
            var q = Turn(Heads(y_BTD, prefix + "self_attn.q_proj.weight"), cos_BTC, sin_BTC);
            var k = Turn(Heads(y_BTD, prefix + "self_attn.k_proj.weight"), cos_BTC, sin_BTC);
            var v = Heads(y_BTD, prefix + "self_attn.v_proj.weight");
            if (cache is not null)
                (k, v) = Remember(cache, layer, k, v);
            var group = _config.Heads / _config.KeyValueHeads;
            if (group > 1)
                (k, v) = (k.repeat_interleave(group, 1), v.repeat_interleave(group, 1));
            var attended = nn.functional.scaled_dot_product_attention(q, k, v, mask).transpose(1, 2).reshape(rows, length, -1);
            x_BTD = x_BTD + nn.functional.linear(attended, _weights[prefix + "self_attn.o_proj.weight"]);
            var z_BTD = Norm(x_BTD, prefix + "post_attention_layernorm.weight");
            var gate = nn.functional.silu(nn.functional.linear(z_BTD, _weights[prefix + "mlp.gate_proj.weight"]));
            x_BTD = x_BTD + nn.functional.linear(gate * nn.functional.linear(z_BTD, _weights[prefix + "mlp.up_proj.weight"]), _weights[prefix + "mlp.down_proj.weight"]);
        }
        return Norm(x_BTD, "model.norm.weight").MoveToOuterDisposeScope();
    }

    /// <summary>Logits of every position, [B, T, V].</summary>
    public Tensor Logits(Tensor hidden_BTD) => nn.functional.linear(hidden_BTD, _weights.GetValueOrDefault("lm_head.weight") ?? _weights["model.embed_tokens.weight"]);

    /// <summary>Scores of every position, [B, T].</summary>
    public Tensor Scores(Tensor hidden_BTD) => nn.functional.linear(hidden_BTD, _weights["score.weight"]).squeeze(-1);

    /// <summary>ln p of the next token at every position but the last, [B, T − 1].</summary>
    public Tensor LogProbs(Tensor ids_BT, Tensor real_BT, double temperature = 1)
    {
        using var scope = NewDisposeScope();
        var logits_BTV = Logits(Hidden(ids_BT, real_BT)) / temperature;
        return nn.functional.log_softmax(logits_BTV.narrow(1, 0, ids_BT.shape[1] - 1), -1).gather(-1, ids_BT.narrow(1, 1, ids_BT.shape[1] - 1).unsqueeze(-1)).squeeze(-1).MoveToOuterDisposeScope();
    }

    private Tensor Heads(Tensor x_BTD, string name) => nn.functional.linear(x_BTD, _weights[name]).view(x_BTD.shape[0], x_BTD.shape[1], -1, _config.HeadSize).transpose(1, 2);

    private Tensor Norm(Tensor x_BTD, string name) => x_BTD * (x_BTD.square().mean([-1], keepdim: true) + _config.NormEpsilon).rsqrt() * _weights[name];

    private static Tensor Turn(Tensor x, Tensor cos, Tensor sin)
    {
        var halves = x.chunk(2, -1);
        return x * cos + cat([-halves[1], halves[0]], -1) * sin;
    }

    private static (Tensor, Tensor) Remember(Cache cache, int layer, Tensor k, Tensor v)
    {
        if (layer < cache.Layers.Count)
        {
            var (keys, values) = cache.Layers[layer];
            var both = (Keys: cat([keys, k], 2).DetachFromDisposeScope(), Values: cat([values, v], 2).DetachFromDisposeScope());
            keys.Dispose();
            values.Dispose();
            cache.Layers[layer] = both;
            return both;
        }
        cache.Layers.Add((k.DetachFromDisposeScope(), v.DetachFromDisposeScope()));
        return cache.Layers[layer];
    }
}
