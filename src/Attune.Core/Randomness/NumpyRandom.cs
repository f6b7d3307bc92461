namespace Attune.Core.Randomness;

/// <summary>
/// NumPy's <c>default_rng(seed)</c>: PCG64 (O'Neill 2014, XSL-RR) seeded through NumPy's SeedSequence, number for number.
/// For draws that must agree with Python tools; everything else draws from <see cref="RandomStream"/>.
/// </summary>
public sealed class NumpyRandom
{
    private static readonly UInt128 Multiplier = new(2549297995355413924UL, 4865540595714422341UL);
    private readonly UInt128 _increment;
    private UInt128 _state;
    private uint? _kept;

    /// <summary>The generator of a seed.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The seed is negative; NumPy refuses it as well.</exception>
    public NumpyRandom(long seed)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(seed);
        Span<ulong> words = stackalloc ulong[4];
        SeedSequence((ulong)seed, words);
        _increment = (new UInt128(words[2], words[3]) << 1) | UInt128.One;
        Step();
        _state += new UInt128(words[0], words[1]);
        Step();
    }

    /// <summary><c>random()</c>: a number in [0, 1) with 53 random bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary><c>integers(low, high)</c>: a whole number from low up to, not including, high (Lemire 2019, on 32 bits).</summary>
    public int Next(int low, int high)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(low, high);
        var range = (uint)((long)high - low);
        if (range == 1) return low;
        var product = (ulong)NextHalf() * range;
        if ((uint)product < range)
        {
            var threshold = (0u - range) % range;
            while ((uint)product < threshold) product = (ulong)NextHalf() * range;
        }
        return (int)(low + (long)(product >> 32));
    }

    private void Step() => _state = unchecked(_state * Multiplier + _increment);

    private ulong NextBits()
    {
        Step();
        var (high, low) = ((ulong)(_state >> 64), (ulong)_state);
        return ulong.RotateRight(high ^ low, (int)(high >> 58));
    }

    // Two 32-bit numbers from one of 64, the lower half first.
    private uint NextHalf()
    {
        if (_kept is { } kept)
        {
            _kept = null;
            return kept;
        }
        var bits = NextBits();
        _kept = (uint)(bits >> 32);
        return (uint)bits;
    }

    // NumPy's SeedSequence (after O'Neill's seed_seq_fe): entropy is hashed into a pool of four words, then drawn out.
    private static void SeedSequence(ulong seed, Span<ulong> words)
    {
        Span<uint> pool = stackalloc uint[4];
        var hash = 0x43b0d7e5u;
        for (var i = 0; i < 4; i++) pool[i] = Hash(i < 2 ? (uint)(seed >> (32 * i)) : 0, ref hash, 0x931e8875u);
        for (var from = 0; from < 4; from++)
        {
            for (var to = 0; to < 4; to++)
            {
                if (from == to) continue;
                var mixed = 0xca01f9ddu * pool[to] - 0x4973f715u * Hash(pool[from], ref hash, 0x931e8875u);
                pool[to] = mixed ^ (mixed >> 16);
            }
        }
        hash = 0x8b51f9ddu;
        for (var i = 0; i < words.Length; i++)
        {
            ulong low = Hash(pool[2 * i % 4], ref hash, 0x58f38dedu);
            ulong high = Hash(pool[(2 * i + 1) % 4], ref hash, 0x58f38dedu);
            words[i] = low | (high << 32);
        }
    }

    private static uint Hash(uint value, ref uint hash, uint multiplier)
    {
        value ^= hash;
        hash *= multiplier;
        value *= hash;
        return value ^ (value >> 16);
    }
}
