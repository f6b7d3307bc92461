namespace Attune.Prompts.Jinja;

/// <summary>A macro with the variables around its definition: what its name stands for.</summary>
internal sealed class MacroValue(Macro macro, Frame definition) : ICallable
{
    public string Repr() => macro.IsCaller ? "<Macro anonymous>" : $"<Macro {PyRepr.Quote(macro.Id)}>";

    public bool TryGet(string name, out object? value)
    {
        value = name switch
        {
            "name" => macro.IsCaller ? null : new PyStr(macro.Id),
            "arguments" => new PyTuple([.. macro.Args.Select(a => new PyStr(a))]),
            "catch_kwargs" => Py.Bool(macro.KwargsSlot >= 0),
            "catch_varargs" => Py.Bool(macro.VarargsSlot >= 0),
            "caller" => Py.Bool(macro.CallerSlot >= 0),
            _ => Frame.Missing,
        };
        return !ReferenceEquals(value, Frame.Missing);
    }

    /// <summary>
    /// The frame of a call whose arguments go straight from the caller into their slots. Null, with nothing evaluated,
    /// where the macro or the call needs more than that: <see cref="Call"/> does it all.
    /// </summary>
    public Frame? Bind(Frame caller, Arguments args)
    {
        var given = args.Positional.Length;
        if (!macro.IsSimple || !args.IsSimple || given > macro.Args.Length)
            return null;
        foreach (var name in args.Names)
        {
            if (Array.IndexOf(macro.Args, name) < given)
                return null;
        }
        caller.State.Charge(given + args.Named.Length);
        var frame = NewFrame(caller.State);
        for (var i = 0; i < macro.Args.Length; i++)
            frame.Slots[macro.ArgSlots[i]] = i < given ? args.Positional[i].Eval(caller) : Frame.Missing;
        for (var i = 0; i < args.Named.Length; i++)
            frame.Slots[macro.ArgSlots[Array.IndexOf(macro.Args, args.Names[i])]] = args.Named[i].Eval(caller);
        return frame;
    }

    public object? Call(RenderState callState, CallArgs args)
    {
        var frame = NewFrame(callState);
        var names = args.Names;
        for (var i = 0; i < macro.Args.Length; i++)
        {
            frame.Slots[macro.ArgSlots[i]] = i < args.Count ? args[i]
                : Array.IndexOf(names, macro.Args[i]) is var at and >= 0 ? args.Named[at] : Frame.Missing;
        }
        var taken = Array.ConvertAll(names, n => Array.IndexOf(macro.Args, n) is var at and >= 0 && at >= args.Count);
        if (macro.CallerSlot >= 0)
        {
            frame.Slots[macro.CallerSlot] = new Undefined("No caller defined", "caller");
            for (var i = 0; i < names.Length; i++)
            {
                if (names[i] != "caller")
                    continue;
                if (args.Named[i] is { } value)
                    frame.Slots[macro.CallerSlot] = value;
                taken[i] = true;
            }
        }
        Rest(frame, args, taken);
        return Text(frame);
    }

    /// <summary>What no parameter took goes to kwargs and varargs, or is refused.</summary>
    private void Rest(Frame frame, CallArgs args, bool[] taken)
    {
        var count = macro.Args.Length;
        var left = Array.IndexOf(taken, false);
        if (macro.KwargsSlot >= 0)
        {
            var kwargs = new PyDictBuilder(taken.Length);
            for (var i = 0; i < taken.Length; i++)
            {
                if (!taken[i])
                    kwargs.Set(new PyStr(args.Names[i]), args.Named[i]);
            }
            frame.Slots[macro.KwargsSlot] = kwargs.Build();
        }
        else if (left >= 0)
        {
            throw PyError.TypeError(args.Names.Where((name, i) => !taken[i] && name == "caller").Any()
                ? $"macro {PyRepr.Quote(macro.Id)} was invoked with two values for the special caller argument. This is most likely a bug."
                : $"macro {(macro.IsCaller ? "None" : PyRepr.Quote(macro.Id))} takes no keyword argument {PyRepr.Quote(args.Names[left])}");
        }
        if (macro.VarargsSlot >= 0)
            frame.Slots[macro.VarargsSlot] = new PyTuple(args.Count > count ? args.Positional[count..] : []);
        else if (args.Count > count)
            throw PyError.TypeError(FormattableString.Invariant($"macro {(macro.IsCaller ? "None" : PyRepr.Quote(macro.Id))} takes not more than {count} argument(s)"));
    }

    /// <summary>Runs the macro in its bound frame: its text as a value.</summary>
    public PyStr Text(Frame frame)
    {
        frame.Out = frame.State.NewText();
        Run(frame);
        return frame.State.Finish(frame.Out);
    }

    /// <summary>Runs the macro in its bound frame, writing where its text is wanted.</summary>
    public void Emit(Frame frame, TextBuilder output)
    {
        frame.Out = output;
        Run(frame);
    }

    private Frame NewFrame(RenderState state) => new(state, macro.Function!.Size, definition, state.Root);

    private void Run(Frame frame)
    {
        frame.State.Enter();
        var start = frame.Out.Length;
        SlotLoad.All(macro.Loads, frame);
        Defaults(frame);
        Stmt.RunAll(macro.Body, frame);
        frame.State.Leave();
        frame.State.Charge(frame.Out.Length - start);
    }

    private void Defaults(Frame frame)
    {
        var firstDefault = macro.Args.Length - macro.Defaults.Length;
        for (var i = 0; i < macro.Args.Length; i++)
        {
            ref var slot = ref frame.Slots[macro.ArgSlots[i]];
            if (!ReferenceEquals(slot, Frame.Missing))
                continue;
            slot = i >= firstDefault ? macro.Defaults[i - firstDefault].Eval(frame)
                : new Undefined($"parameter {PyRepr.Quote(macro.Args[i])} was not provided", macro.Args[i]);
        }
    }
}
