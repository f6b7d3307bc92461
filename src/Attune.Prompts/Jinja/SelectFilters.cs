namespace Attune.Prompts.Jinja;

/// <summary>map, select, reject and their attribute forms: lazy, and read once.</summary>
internal static class SelectFilters
{
    public static object? Map(RenderState state, object? value, CallArgs args)
    {
        return new PyGenerator("sync_do_map", Items());

        IEnumerable<object?> Items()
        {
            if (!Py.Truth(value))
                yield break;
            var map = Mapper(state, args);
            foreach (var item in Iteration.Each(state, value))
                yield return map(item);
        }
    }

    private static Func<object?, object?> Mapper(RenderState state, CallArgs args)
    {
        var names = args.Names;
        if (args.Count == 0 && Array.IndexOf(names, "attribute") is var at and >= 0)
        {
            var otherwise = Array.IndexOf(names, "default") is var given and >= 0 ? args.Named[given] : null;
            var unknown = Array.FindIndex(names, n => n is not ("attribute" or "default"));
            return unknown >= 0 ? throw PyError.FilterArgument($"Unexpected keyword argument {PyRepr.Quote(names[unknown])}")
                : AttributePath.Getter(state, args.Named[at], otherwise);
        }
        if (args.Count == 0)
            throw PyError.FilterArgument("map requires a filter argument");
        var name = args[0] is PyStr text ? text.Text : PyRepr.Repr(args[0]);
        var filter = Filters.Table.GetValueOrDefault(name) ?? throw PyError.Runtime($"No filter named {PyRepr.Quote(name)}.");
        var rest = new CallArgs(args.Positional[1..], names, args.Named);
        return item => filter(state, item, rest);
    }

    public static object? Select(RenderState state, object? value, CallArgs args, bool attribute, bool keep)
    {
        var name = "sync_do_" + (keep ? "select" : "reject") + (attribute ? "attr" : "");
        return new PyGenerator(name, Items());

        IEnumerable<object?> Items()
        {
            if (!Py.Truth(value))
                yield break;
            var test = Tester(state, args, attribute);
            foreach (var item in Iteration.Each(state, value))
            {
                if (test(item) == keep)
                    yield return item;
            }
        }
    }

    private static Func<object?, bool> Tester(RenderState state, CallArgs args, bool attribute)
    {
        var offset = attribute ? 1 : 0;
        if (args.Count < offset)
            throw PyError.FilterArgument("Missing parameter for attribute name");
        Func<object?, object?> get = attribute ? AttributePath.Getter(state, args[0]) : item => item;
        if (args.Count == offset)
            return item => Py.Truth(get(item));
        var name = args[offset] is PyStr text ? text.Text : PyRepr.Repr(args[offset]);
        var test = Tests.Table.GetValueOrDefault(name) ?? throw PyError.Runtime($"No test named {PyRepr.Quote(name)}.");
        var rest = new CallArgs(args.Positional[(offset + 1)..], args.Names, args.Named);
        return item => test(state, get(item), rest);
    }
}

/// <summary>"a.b.0": what the attribute arguments of filters mean.</summary>
internal static class AttributePath
{
    public static Func<object?, object?> Getter(RenderState state, object? attribute, object? otherwise = null, bool ignoreCase = false)
    {
        var parts = Parts(attribute);
        return item => Get(state, item, parts, otherwise, ignoreCase);
    }

    /// <summary>"a,b" sorts by a, then by b: a list of keys.</summary>
    public static Func<object?, object?> MultiGetter(RenderState state, object? attribute, bool ignoreCase)
    {
        object?[][] keys = attribute is PyStr text ? [.. text.Text.Split(',').Select(p => Parts(new PyStr(p)))] : [Parts(attribute)];
        return item => new PyList([.. keys.Select(k => Get(state, item, k, null, ignoreCase))]);
    }

    private static object?[] Parts(object? attribute) => attribute switch
    {
        null => [],
        PyStr text => [.. text.Text.Split('.').Select(p => p.Length > 0 && p.All(char.IsDigit) ? PyNumber.ParseInt(p, 10) : new PyStr(p))],
        _ => [attribute],
    };

    private static object? Get(RenderState state, object? item, object?[] parts, object? otherwise, bool ignoreCase)
    {
        foreach (var part in parts)
        {
            item = Attributes.GetItem(state, item, part);
            if (otherwise is not null && item is Undefined)
                item = otherwise;
        }
        return ignoreCase && item is PyStr text ? CaseMapping.Lower(state, text) : item;
    }
}
