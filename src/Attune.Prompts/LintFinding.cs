namespace Attune.Prompts;

/// <summary>How much a finding matters.</summary>
public enum LintSeverity
{
    /// <summary>Worth knowing.</summary>
    Note,

    /// <summary>Wrong for some conversations or engines.</summary>
    Warning,

    /// <summary>Training or serving with it goes wrong.</summary>
    Error,
}

/// <summary>One thing that a template does wrong.</summary>
/// <param name="Code">ATT12xx, one of <see cref="LintRules.All"/>.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Line">Line of the template, counted from one.</param>
/// <param name="Message">What is wrong, with what showed it.</param>
/// <param name="Fix">What to do about it.</param>
public sealed record LintFinding(string Code, LintSeverity Severity, int Line, string Message, string Fix);

/// <summary>A rule of the lint: what it looks for.</summary>
/// <param name="Code">ATT12xx.</param>
/// <param name="Name">A few words.</param>
/// <param name="Severity">How much it matters.</param>
/// <param name="Definition">When exactly a template is found to break it.</param>
/// <param name="Fix">What to do about it.</param>
public sealed record LintRule(string Code, string Name, LintSeverity Severity, string Definition, string Fix);

/// <summary>Every rule of the lint.</summary>
public static class LintRules
{
    /// <summary>The rules by code, in order.</summary>
    public static IReadOnlyList<LintRule> All { get; } =
    [
        new("ATT1201", "starts with BOS", LintSeverity.Note, "The render of one question begins with bos_token: an encoder that adds BOS makes two. With a contract that says the tokenizer adds one, this is a double BOS.", "Encode without adding special tokens, as PromptContract does; it drops a second BOS."),
        new("ATT1202", "two BOS", LintSeverity.Error, "The render of one question begins with bos_token twice.", "Print bos_token once, at the very start."),
        new("ATT1203", "generation prompt has no effect", LintSeverity.Warning, "The render of one question is the same with add_generation_prompt and without.", "End with the opening of an assistant's turn {% if add_generation_prompt %}, unless the format has none."),
        new("ATT1204", "inference prompt is no prefix of training", LintSeverity.Error, "The render of a question with generation prompt is not a prefix of the render of the same question with its answer.", "Print before the answer in training exactly what add_generation_prompt prints."),
        new("ATT1205", "not prefix-preserving over turns", LintSeverity.Warning, "The render of question and answer is not a prefix of the render with one more question after it.", "Do not rewrite earlier turns: no stripping of history, nothing that depends on which turn is last."),
        new("ATT1206", "not prefix-preserving over tool results", LintSeverity.Warning, "The render up to a tool call is not a prefix of the render with the tool's result after it.", "Close the assistant's turn the same way whether a result follows or not."),
        new("ATT1207", "no end of turn", LintSeverity.Error, "Nothing but blank space, or what add_generation_prompt prints, follows the text of a last assistant turn.", "Print the end-of-turn token after the assistant's text."),
        new("ATT1208", "end of turn is not trained", LintSeverity.Error, "The template has generation blocks, but what follows the assistant's text is outside of them.", "Move the end of turn inside {% generation %}."),
        new("ATT1209", "no generation blocks", LintSeverity.Note, "A training render has no generation span: loss masks cannot come from the template.", "Put {% generation %} … {% endgeneration %} around the assistant's text and its end of turn."),
        new("ATT1210", "end of turn does not stop", LintSeverity.Error, "The token after the assistant's text is none of the contract's stop tokens, so generation runs on.", "Add it to the stop tokens."),
        new("ATT1211", "end of turn is the padding", LintSeverity.Error, "A stop token has the id of pad_token: masking the padding masks the end of turn.", "Use a padding token of its own."),
        new("ATT1212", "tools are dropped", LintSeverity.Warning, "A tool's name appears neither in the render nor does the template raise.", "Render tools, or raise_exception when they are given."),
        new("ATT1213", "tool call arguments are dropped", LintSeverity.Warning, "An argument of an assistant's tool call appears neither in the render nor does the template raise.", "Render tool_calls with their arguments, or raise_exception."),
        new("ATT1214", "tool results are dropped", LintSeverity.Warning, "The content of a tool message appears neither in the render nor does the template raise.", "Render tool messages, or raise_exception."),
        new("ATT1215", "system message is dropped", LintSeverity.Warning, "The content of a system message appears neither in the render nor does the template raise.", "Render it, or raise_exception."),
        new("ATT1216", "documents are dropped", LintSeverity.Note, "A document's text appears neither in the render nor does the template raise.", "Render documents, or raise_exception when they are given."),
        new("ATT1217", "reasoning is dropped", LintSeverity.Note, "reasoning_content of a last assistant turn appears neither in the render nor does the template raise.", "Render it, or raise_exception."),
        new("ATT1218", "unknown role is dropped", LintSeverity.Warning, "The text of a message with an unknown role appears neither in the render nor does the template raise.", "raise_exception for roles that the template does not know."),
        new("ATT1219", "unknown role is rendered", LintSeverity.Note, "A message with an unknown role is rendered as if the model had been trained on it.", "raise_exception for roles that the template does not know."),
        new("ATT1220", "parts printed as Python", LintSeverity.Error, "Content given as a list of text parts is printed as Python prints a list.", "Loop over the parts and print their text, or raise_exception."),
        new("ATT1221", "depends on the clock", LintSeverity.Warning, "The template asks strftime_now: the same conversation renders differently tomorrow.", "Take the date from a variable, or fix the contract's clock."),
        new("ATT1222", "None is not undefined", LintSeverity.Warning, "tools given as none renders otherwise than tools left out, or the template fails on one of the two.", "Test with 'if tools' instead of 'tools is defined' or 'is not none'."),
        new("ATT1223", "changes a list or dict", LintSeverity.Error, "The template calls append, update or another method that changes a value: the sandbox refuses.", "Build a new value: {% set ns.items = ns.items + [x] %}."),
        new("ATT1224", "filter or test that engines lack", LintSeverity.Error, "The template uses a filter or test that Jinja and transformers do not have.", "Write it with the built-in ones."),
        new("ATT1225", "safe in a concatenation", LintSeverity.Warning, "An operand of + is marked safe: the other operand is HTML-escaped by the reference, and not by other engines.", "Leave 'safe' out: chat templates do not escape."),
        new("ATT1226", "control tokens in user text pass", LintSeverity.Note, "A special token typed by a user appears unchanged in the render: an encoder that matches it there makes a control token of it.", "Encode through PromptContract, which matches special tokens in the template's own text only."),
    ];

    internal static LintRule Of(string code) => All.First(r => r.Code == code);
}
