namespace Attune.Prompts.Jinja;

/// <summary>The variables of one function (the template itself, a macro, the body of a call): Python's locals.</summary>
internal sealed class Frame(RenderState state, int size, Frame? up, TextBuilder output)
{
    /// <summary>In a slot: the name has no value here.</summary>
    public static readonly object Missing = new();

    public readonly RenderState State = state;
    public readonly object?[] Slots = size == 0 ? [] : new object?[size];
    public readonly Frame? Up = up;
    public TextBuilder Out = output;
}
