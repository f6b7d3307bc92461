using System.Buffers.Binary;
using System.Text;

namespace Attune.NativeFit;

/// <summary>
/// Makes libLibTorchSharp.so load where libstdc++ stops short of GLIBCXX_3.4.32 (Debian 12, Ubuntu 22.04, RHEL 9).
/// </summary>
/// <remarks>
/// <para>
/// The library was compiled by gcc 13 and needs ONE symbol of that version, <c>std::ios_base_library_init()</c>. Nobody
/// calls it: gcc 13 emits the reference so that the linker pulls in the object that initialises cin and cout. libtorch,
/// which the library depends on, initialises them anyway.
/// </para>
/// <para>
/// The dynamic loader, however, refuses a library at load when a version that it needs is missing, and refuses a symbol
/// that it cannot find. Three small edits, none of which moves a byte, answer both:
/// </para>
/// <list type="number">
/// <item>in <c>.gnu.version_r</c>, the needed version GLIBCXX_3.4.32 takes the name and hash of GLIBCXX_3.4.30, which
/// is in the same list and which the host has;</item>
/// <item>in <c>.dynsym</c>, the symbol takes the name of <c>ceil</c>, an import that is there already;</item>
/// <item>in <c>.gnu.version</c>, it takes ceil's version.</item>
/// </list>
/// <para>Whatever is not laid out as expected is refused: a half-edited library would fail later and worse.</para>
/// </remarks>
public static class OlderLibstdcxx
{
    /// <summary>The mangled name of <c>std::ios_base_library_init()</c>.</summary>
    public const string Symbol = "_ZSt21ios_base_library_initv";

    private const string Missing = "GLIBCXX_3.4.32";
    private const string Present = "GLIBCXX_3.4.30";
    private const string StandIn = "ceil";

    // ELF64: sizes and offsets of the fields that are read (System V ABI, chapter 4; LSB Core 10.7 for versions).
    private const int SectionHeaderSize = 64;
    private const int SymbolSize = 24;

    /// <summary>Returns the edited library; the input is not changed.</summary>
    /// <exception cref="InvalidDataException">The file is not the ELF layout that the edit was written for.</exception>
    public static byte[] Fit(ReadOnlySpan<byte> library)
    {
        var bytes = library.ToArray();
        var sections = Sections(bytes);
        var strings = Need(sections, ".dynstr");

        RenameVersion(bytes, Need(sections, ".gnu.version_r"), strings);
        RenameSymbol(bytes, Need(sections, ".dynsym"), Need(sections, ".gnu.version"), strings);
        return bytes;
    }

    private static void RenameVersion(byte[] bytes, Section needs, Section strings)
    {
        int? missing = null, present = null;

        // A chain of Verneed records (one for each file), each with a chain of Vernaux records (one for each version).
        for (var file = needs.Start; ;)
        {
            var aux = file + Int(bytes, file + 8);
            for (int i = 0, count = Short(bytes, file + 2); i < count; i++, aux += Int(bytes, aux + 12))
            {
                var name = Name(bytes, strings, Int(bytes, aux + 8));
                if (name == Missing)
                    missing = Once(missing, aux, Missing);
                else if (name == Present)
                    present = Once(present, aux, Present);
            }
            var next = Int(bytes, file + 12);
            if (next == 0)
                break;
            file += next;
        }

        if (missing is not { } target || present is not { } source)
            throw Unexpected($"it does not need both {Missing} and {Present}");
        bytes.AsSpan(source, 4).CopyTo(bytes.AsSpan(target));         // vna_hash
        bytes.AsSpan(source + 8, 4).CopyTo(bytes.AsSpan(target + 8)); // vna_name
    }

    private static void RenameSymbol(byte[] bytes, Section symbols, Section versions, Section strings)
    {
        int? missing = null, standIn = null;
        for (var i = 1; i < symbols.Length / SymbolSize; i++)
        {
            var at = symbols.Start + i * SymbolSize;
            if (Short(bytes, at + 6) != 0) // st_shndx: only undefined symbols are imports
                continue;
            var name = Name(bytes, strings, Int(bytes, at));
            if (name == Symbol)
                missing = Once(missing, i, Symbol);
            else if (name == StandIn)
                standIn = Once(standIn, i, StandIn);
        }

        if (missing is not { } target || standIn is not { } source)
            throw Unexpected($"it does not import both {Symbol} and {StandIn}");
        bytes.AsSpan(symbols.Start + source * SymbolSize, 4).CopyTo(bytes.AsSpan(symbols.Start + target * SymbolSize));
        bytes.AsSpan(versions.Start + source * 2, 2).CopyTo(bytes.AsSpan(versions.Start + target * 2));
    }

    private readonly record struct Section(int Start, int Length);

    private static Dictionary<string, Section> Sections(byte[] bytes)
    {
        if (bytes.Length < 64 || !bytes.AsSpan(0, 6).SequenceEqual("\u007fELF\u0002\u0001"u8))
            throw Unexpected("it is not a 64-bit little-endian ELF file");

        var table = Offset(bytes, 0x28);
        var (count, names) = (Short(bytes, 0x3c), Short(bytes, 0x3e));
        var nameTable = Header(names);
        var sections = new Dictionary<string, Section>(StringComparer.Ordinal);
        for (var i = 0; i < count; i++)
            sections[Name(bytes, nameTable, Int(bytes, table + i * SectionHeaderSize))] = Header(i);
        return sections;

        Section Header(int index)
        {
            var at = table + index * SectionHeaderSize;
            return new Section(Offset(bytes, at + 0x18), Offset(bytes, at + 0x20));
        }
    }

    private static Section Need(Dictionary<string, Section> sections, string name) =>
        sections.TryGetValue(name, out var section) ? section : throw Unexpected($"it has no section {name}");

    private static int Once(int? earlier, int now, string what) =>
        earlier is null ? now : throw Unexpected($"{what} is there twice");

    private static string Name(byte[] bytes, Section strings, int offset)
    {
        var tail = Slice(bytes, strings.Start + offset, strings.Length - offset);
        var end = tail.IndexOf((byte)0);
        return end < 0 ? throw Unexpected("a name does not end") : Encoding.ASCII.GetString(tail[..end]);
    }

    private static int Short(byte[] bytes, int at) => BinaryPrimitives.ReadUInt16LittleEndian(Slice(bytes, at, 2));

    private static int Int(byte[] bytes, int at) => BinaryPrimitives.ReadInt32LittleEndian(Slice(bytes, at, 4));

    private static int Offset(byte[] bytes, int at)
    {
        var value = BinaryPrimitives.ReadInt64LittleEndian(Slice(bytes, at, 8));
        return value is >= 0 and <= int.MaxValue ? (int)value : throw Unexpected("an offset points outside the file");
    }

    private static ReadOnlySpan<byte> Slice(byte[] bytes, int at, int length) =>
        at >= 0 && length >= 0 && at <= bytes.Length - length
            ? bytes.AsSpan(at, length)
            : throw Unexpected("an offset points outside the file");

    private static InvalidDataException Unexpected(string what) => new(
        $"The native library of TorchSharp is not laid out as expected: {what}. "
        + "This machine's libstdc++ lacks GLIBCXX_3.4.32; install a libstdc++ of gcc 13 or newer.");
}
