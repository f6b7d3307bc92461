namespace Attune.Prompts.Jinja;

/// <summary>Fills a variable when its scope is entered: from outside, from the caller's context, or with nothing.</summary>
internal readonly record struct SlotLoad(int Slot, Name? From)
{
    public static void All(SlotLoad[] loads, Frame f)
    {
        foreach (var load in loads)
            f.Slots[load.Slot] = load.From is null ? Frame.Missing : Raw(load.From, f);
    }

    private static object? Raw(Name from, Frame f)
    {
        var value = from.Held(f);
        return value is Undefined undefined && undefined.IsVariable(from.Id) ? Frame.Missing : value;
    }
}
