namespace Attune.Core.Tokens.Patterns;

/// <summary>From the tree of a pattern to the steps that match it.</summary>
internal sealed class PatternCompiler(string? field)
{
    private const int MostSteps = 20_000;
    private int _total;

    public static PatternProgram Compile(string expression, string? field) =>
        new PatternCompiler(field).Compile(new PatternParser(expression, field).Parse());

    private PatternProgram Compile(PatternNode node)
    {
        var steps = new List<Step>();
        var marks = 0;
        Emit(node, steps, ref marks);
        steps.Add(new Step(Op.Done));
        return new PatternProgram(steps, marks);
    }

    private void Emit(PatternNode node, List<Step> steps, ref int marks)
    {
        if (++_total > MostSteps)
            throw TokenException.Regex("The pattern is too large.", field);
        switch (node)
        {
            case PatternNode.Chars chars:
                steps.Add(new Step(Op.Set, Set: chars.Set));
                break;
            case PatternNode.Sequence sequence:
                foreach (var item in sequence.Items)
                    Emit(item, steps, ref marks);
                break;
            case PatternNode.Choice choice:
                EmitChoice(choice, steps, ref marks);
                break;
            case PatternNode.Repeat repeat:
                EmitRepeat(repeat, steps, ref marks);
                break;
            case PatternNode.Look { Behind: false } look:
                steps.Add(new Step(Op.Ahead, look.Wanted ? 1 : 0, Part: Compile(look.Item)));
                break;
            case PatternNode.Look look:
                EmitBehind(look, steps);
                break;
            case PatternNode.Atomic atomic:
                steps.Add(new Step(Op.Atomic, Part: Compile(atomic.Item)));
                break;
            case PatternNode.Place place:
                steps.Add(new Step(place.Op, place.X));
                break;
        }
    }

    private void EmitChoice(PatternNode.Choice choice, List<Step> steps, ref int marks)
    {
        var ends = new List<int>();
        for (var i = 0; i < choice.Items.Count; i++)
        {
            var last = i == choice.Items.Count - 1;
            var split = steps.Count;
            if (!last)
                steps.Add(new Step(Op.Split));
            Emit(choice.Items[i], steps, ref marks);
            if (last)
                break;
            ends.Add(steps.Count);
            steps.Add(new Step(Op.Jump));
            steps[split] = new Step(Op.Split, split + 1, steps.Count);
        }
        foreach (var end in ends)
            steps[end] = new Step(Op.Jump, steps.Count);
    }

    private void EmitBehind(PatternNode.Look look, List<Step> steps)
    {
        // Alternatives of different widths are tried one after the other: all of them for a positive look,
        // and none may match for a negative one.
        var items = look.Item is PatternNode.Choice choice ? choice.Items : [look.Item];
        if (!look.Wanted || items.Count == 1)
        {
            foreach (var item in items)
                steps.Add(new Step(Op.Behind, look.Wanted ? 1 : 0, WidthOf(item), Part: Compile(item)));
            return;
        }
        var marks = 0;
        EmitChoice(new PatternNode.Choice([.. items.Select(i => new PatternNode.Look(i, Behind: true, Wanted: true))]), steps, ref marks);
    }

    private int WidthOf(PatternNode node) =>
        node.Width() ?? throw TokenException.Regex("A look-behind must have a fixed width.", field);

    private void EmitRepeat(PatternNode.Repeat repeat, List<Step> steps, ref int marks)
    {
        if (repeat.Item is PatternNode.Chars chars)
        {
            var op = repeat.Greed switch { Greed.Greedy => Op.Greedy, Greed.Lazy => Op.Lazy, _ => Op.Possessive };
            steps.Add(new Step(op, repeat.Least, repeat.Most, chars.Set));
            return;
        }
        if (repeat.Greed == Greed.Possessive)
        {
            steps.Add(new Step(Op.Atomic, Part: Compile(repeat with { Greed = Greed.Greedy })));
            return;
        }
        for (var n = 0; n < repeat.Least; n++)
            Emit(repeat.Item, steps, ref marks);
        if (repeat.Most == int.MaxValue)
        {
            var mark = marks++;
            var split = steps.Count;
            steps.Add(new Step(Op.Split));
            steps.Add(new Step(Op.Mark, mark));
            Emit(repeat.Item, steps, ref marks);
            steps.Add(new Step(Op.Moved, mark));
            steps.Add(new Step(Op.Jump, split));
            steps[split] = Way(repeat.Greed, split + 1, steps.Count);
            return;
        }
        var splits = new List<int>();
        for (var n = repeat.Least; n < repeat.Most; n++)
        {
            splits.Add(steps.Count);
            steps.Add(new Step(Op.Split));
            Emit(repeat.Item, steps, ref marks);
        }
        foreach (var split in splits)
            steps[split] = Way(repeat.Greed, split + 1, steps.Count);
    }

    private static Step Way(Greed greed, int into, int past) =>
        greed == Greed.Greedy ? new Step(Op.Split, into, past) : new Step(Op.Split, past, into);
}
