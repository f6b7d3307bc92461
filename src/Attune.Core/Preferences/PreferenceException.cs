using Attune.Prompts;

namespace Attune.Core.Preferences;

/// <summary>Preferences that cannot be collected or judged as asked. Codes ATT2410 to ATT2499.</summary>
public sealed class PreferenceException(string code, string message, Exception? inner = null) : AttuneException(code, message, inner)
{
    /// <summary>No judgement of a task could be read.</summary>
    public const string UnreadableCode = "ATT2416";

    internal static PreferenceException Held(string file, Exception inner) =>
        new("ATT2410", "Another process is annotating into this file.", inner) { File = file, Hint = "Give each annotator a file of their own, or wait until the other one is done." };

    internal static PreferenceException BrokenLine(string file, int line) =>
        new("ATT2411", "This line is no annotation.") { File = file, Line = line, Hint = "Annotation files are only added to. Take the line out, or give another file." };

    internal static PreferenceException NothingInCommon(string what) =>
        new("ATT2412", what) { Hint = "Agreement needs two annotators who ranked the same answers: the same prompts, versions and seed." };

    internal static PreferenceException NoReference(string rule) =>
        new("ATT2414", $"The rule '{rule}' compares with the right answer, and the prompt has none.") { Field = rule, Hint = "Give the prompts an 'answer' (or target, reference, solution)." };

    internal static PreferenceException BadConstitution(string? file, string what) =>
        new("ATT2415", what) { File = file, Field = "principles", Hint = "A constitution is a YAML file with 'name' and 'principles', a list of sentences." };

    internal static PreferenceException Unreadable(string judge, int calls) =>
        new(UnreadableCode, FormattableString.Invariant($"None of {calls} judgements of {judge} could be read.")) { Hint = "The judge must end with [[A]], [[B]] or [[tie]]; a small model may not be able to. Take a larger one." };
}
