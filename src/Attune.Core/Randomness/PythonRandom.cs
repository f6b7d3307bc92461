using System.Numerics;

namespace Attune.Core.Randomness;

/// <summary>
/// CPython's <c>random.Random</c>: the Mersenne twister MT19937 (Matsumoto and Nishimura 1998) with CPython's seeding
/// and ways to draw, number for number. For draws that must agree with Python tools, such as few-shot picks; everything
/// else draws from <see cref="RandomStream"/>.
/// </summary>
public sealed class PythonRandom
{
    private const int Size = 624, Middle = 397;
    private readonly uint[] _state = new uint[Size];
    private int _next = Size;

    /// <summary>The generator of <c>random.Random(seed)</c>; like Python it takes the absolute value of the seed.</summary>
    public PythonRandom(long seed)
    {
        var magnitude = seed < 0 ? 0UL - (ulong)seed : (ulong)seed;
        Seed(magnitude > uint.MaxValue ? [(uint)magnitude, (uint)(magnitude >> 32)] : [(uint)magnitude]);
    }

    /// <summary><c>random()</c>: a number in [0, 1) with 53 random bits.</summary>
    public double NextDouble()
    {
        var high = NextBits() >> 5;
        var low = NextBits() >> 6;
        return (high * 67108864.0 + low) * (1.0 / 9007199254740992.0);
    }

    /// <summary><c>randrange(below)</c>: draws as many bits as the bound has until they are below it.</summary>
    public int Next(int below)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(below);
        var shift = BitOperations.LeadingZeroCount((uint)below);
        while (true)
        {
            var drawn = NextBits() >> shift;
            if (drawn < (uint)below) return (int)drawn;
        }
    }

    /// <summary>
    /// <c>sample(range(population), count)</c>: that many different numbers from 0 up to, not including, the population,
    /// in the order drawn.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The sample is larger than the population, or negative.</exception>
    public int[] Sample(int population, int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, population);
        var picked = new int[count];
        // Python keeps a list of what is left, or a set of what is taken, whichever it thinks is smaller; the draws differ.
        double setSize = 21;
        if (count > 5) setSize += Math.Pow(4, Math.Ceiling(Math.Log(count * 3.0) / Math.Log(4)));
        if (population <= setSize)
        {
            var left = Enumerable.Range(0, population).ToArray();
            for (var i = 0; i < count; i++)
            {
                var j = Next(population - i);
                picked[i] = left[j];
                left[j] = left[population - i - 1];
            }
            return picked;
        }
        var taken = new HashSet<int>(count);
        for (var i = 0; i < count; i++)
        {
            int j;
            do j = Next(population);
            while (!taken.Add(j));
            picked[i] = j;
        }
        return picked;
    }

    /// <summary><c>shuffle</c>, in place.</summary>
    public void Shuffle<T>(Span<T> items)
    {
        for (var i = items.Length - 1; i > 0; i--)
        {
            var j = Next(i + 1);
            (items[i], items[j]) = (items[j], items[i]);
        }
    }

    // init_by_array of the twister's authors: CPython seeds by the 32-bit digits of the number, lowest first.
    private void Seed(ReadOnlySpan<uint> key)
    {
        var s = _state;
        s[0] = 19650218;
        for (var k = 1; k < Size; k++) s[k] = 1812433253u * (s[k - 1] ^ (s[k - 1] >> 30)) + (uint)k;
        int i = 1, j = 0;
        for (var k = Math.Max(Size, key.Length); k > 0; k--)
        {
            s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + key[j] + (uint)j;
            if (++i == Size) { s[0] = s[Size - 1]; i = 1; }
            if (++j == key.Length) j = 0;
        }
        for (var k = Size - 1; k > 0; k--)
        {
            s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - (uint)i;
            if (++i == Size) { s[0] = s[Size - 1]; i = 1; }
        }
        s[0] = 0x80000000;
    }

    private uint NextBits()
    {
        if (_next == Size) Twist();
        var y = _state[_next++];
        y ^= y >> 11;
        y ^= (y << 7) & 0x9d2c5680;
        y ^= (y << 15) & 0xefc60000;
        return y ^ (y >> 18);
    }

    private void Twist()
    {
        var s = _state;
        for (var k = 0; k < Size; k++)
        {
            var y = (s[k] & 0x80000000) | (s[(k + 1) % Size] & 0x7fffffff);
            s[k] = s[(k + Middle) % Size] ^ (y >> 1) ^ ((y & 1) == 0 ? 0 : 0x9908b0df);
        }
        _next = 0;
    }
}
