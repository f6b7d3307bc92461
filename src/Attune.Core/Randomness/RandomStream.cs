using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using System.Security.Cryptography;
using System.Text;

namespace Attune.Core.Randomness;

/// <summary>
/// The project's random generator: xoshiro256** (Blackman and Vigna, 2018), its 256 bits of state taken from
/// SHA-256 over the seed and the names of the purpose. Streams of different purposes are independent, and one
/// more draw in one of them changes no other. The same on every machine and every version of .NET.
/// </summary>
public sealed class RandomStream
{
    private ulong _s0, _s1, _s2, _s3;

    private RandomStream(ReadOnlySpan<ulong> state) => (_s0, _s1, _s2, _s3) = (state[0], state[1], state[2], state[3]);

    /// <summary>The stream of a purpose, such as <c>Of(7, "world", "pretrain")</c>.</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="purpose">What the numbers are for, from the general to the special.</param>
    public static RandomStream Of(long seed, params ReadOnlySpan<string> purpose)
    {
        var text = new StringBuilder("attune\n").Append(seed.ToString(CultureInfo.InvariantCulture));
        foreach (var part in purpose) text.Append('\n').Append(part);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString()), hash);
        Span<ulong> state = stackalloc ulong[4];
        for (var i = 0; i < 4; i++) state[i] = BinaryPrimitives.ReadUInt64LittleEndian(hash[(8 * i)..]);
        return new RandomStream(state);
    }

    /// <summary>A stream that goes on from a state that <see cref="State"/> gave.</summary>
    /// <exception cref="ArgumentException">The state is not four words, or is all zero.</exception>
    public static RandomStream Resume(ReadOnlySpan<ulong> state) =>
        state.Length == 4 && state.ContainsAnyExcept(0UL)
            ? new RandomStream(state)
            : throw new ArgumentException("The state of a random stream is four words that are not all zero.", nameof(state));

    /// <summary>The whole state, four words, for a checkpoint.</summary>
    public ulong[] State => [_s0, _s1, _s2, _s3];

    /// <summary>64 random bits.</summary>
    public ulong NextBits()
    {
        var result = BitOperations.RotateLeft(_s1 * 5, 7) * 9;
        var t = _s1 << 17;
        _s2 ^= _s0;
        _s3 ^= _s1;
        _s1 ^= _s2;
        _s0 ^= _s3;
        _s2 ^= t;
        _s3 = BitOperations.RotateLeft(_s3, 45);
        return result;
    }

    /// <summary>A whole number from 0 up to, not including, <paramref name="below"/>; every one equally likely (Lemire, 2019).</summary>
    public int Next(int below)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(below);
        var range = (ulong)below;
        while (true)
        {
            var high = Math.BigMul(NextBits(), range, out var low);
            if (low >= range || low >= (0UL - range) % range) return (int)high;
        }
    }

    /// <summary>A whole number from <paramref name="from"/> to <paramref name="to"/>, both included.</summary>
    public int Between(int from, int to) => from + Next(to - from + 1);

    /// <summary>A number in [0, 1) with 53 random bits.</summary>
    public double NextDouble() => (NextBits() >> 11) * (1.0 / (1UL << 53));

    /// <summary>True with the given probability. Always draws one number, so that a knob at 0 shifts nothing else.</summary>
    public bool Chance(double probability) => NextDouble() < probability;

    /// <summary>A standard normal number (Box and Muller, one of the pair).</summary>
    public double NextGaussian() =>
        Math.Sqrt(-2 * Math.Log(1 - NextDouble())) * Math.Cos(2 * Math.PI * NextDouble());

    /// <summary>One of the items.</summary>
    public T Pick<T>(IReadOnlyList<T> items) => items[Next(items.Count)];

    /// <summary>Puts the items into a random order, in place (Fisher and Yates).</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    /// <summary>The numbers 0 to <paramref name="count"/> − 1 in random order.</summary>
    public int[] Permutation(int count)
    {
        var order = new int[count];
        for (var i = 0; i < count; i++) order[i] = i;
        Shuffle<int>(order);
        return order;
    }
}
