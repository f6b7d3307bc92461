namespace Attune.Core.Tokens;

/// <summary>A text's tokens with the places that they came from.</summary>
/// <param name="Ids">The ids, in order.</param>
/// <param name="Offsets">For each the range of the text, [Start, End), in code points, as the reference counts; (0, 0) for a token that was put around the text.</param>
public sealed record TokenEncoding(IReadOnlyList<int> Ids, IReadOnlyList<(int Start, int End)> Offsets);
