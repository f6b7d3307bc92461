namespace Attune.Prompts.Jinja;

/// <summary>A function of the template: the template itself, a macro, a recursive loop. It owns slots.</summary>
internal sealed class Function(Function? up)
{
    public readonly Function? Up = up;
    public readonly int Depth = up is null ? 0 : up.Depth + 1;
    public int Size;
}
