using System.Text.Json.Nodes;
using Attune.App.Cli;
using Attune.Core.Data;

namespace Attune.App.Alignment;

/// <summary>What is told while a version is aligned, kept for its report: notes in their order, and what gives reason to doubt.</summary>
internal sealed class AlignReport
{
    private readonly JsonArray _log = [], _doubts = [];

    /// <summary>Keeps a note.</summary>
    public void Note(string what, JsonObject facts)
    {
        facts["what"] = what;
        _log.Add(facts);
    }

    /// <summary>Tells a doubt, where there is one.</summary>
    public void Doubt(AlignDoubt? doubt)
    {
        if (doubt is null)
            return;
        Terminal.Out.Line($"  [yellow]doubt[/]: {doubt.What}");
        _doubts.Add(new JsonObject { ["name"] = doubt.Name, ["what"] = doubt.What });
    }

    /// <summary>Rows at fault are left out, and nobody has to find that out afterwards.</summary>
    public void Faults(RowTally rows)
    {
        var reasons = new JsonArray();
        if (rows.DroppedRows > 0)
            Terminal.Out.Line($"  [yellow]note[/]: {rows.DroppedRows} of {rows.Read} rows are left out:");
        foreach (var (reason, count) in rows.Dropped.OrderByDescending(d => d.Value))
        {
            var first = rows.First[reason].ToString();
            Terminal.Out.Line($"    {count} × {reason} First: {first}");
            reasons.Add(new JsonObject { ["reason"] = reason, ["rows"] = count, ["first"] = first });
        }
        Note("rows", new JsonObject { ["read"] = rows.Read, ["left_out"] = rows.DroppedRows, ["reasons"] = reasons });
    }

    /// <summary>The report: what is given first, then the notes and the doubts.</summary>
    public JsonObject With(JsonObject facts)
    {
        facts["log"] = _log.DeepClone();
        facts["doubts"] = _doubts.DeepClone();
        return facts;
    }

    /// <summary>A win rate with its interval and what it is of.</summary>
    public static JsonObject Figures(WinRate rate) => new() { ["win_rate"] = Finite(rate.Value), ["low"] = Finite(rate.Low), ["high"] = Finite(rate.High), ["n"] = rate.N };

    /// <summary>A number that JSON has, or null.</summary>
    public static double? Finite(double value) => double.IsFinite(value) ? value : null;
}
