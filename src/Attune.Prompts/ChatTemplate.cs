using System.Text.Json.Nodes;
using Attune.Prompts.Jinja;

namespace Attune.Prompts;

/// <summary>
/// A chat template in Jinja, as Hugging Face's transformers runs it. Parse once, render many times, from any thread.
/// It sees nothing of .NET and changes nothing that it is given.
/// </summary>
public sealed class ChatTemplate
{
    private readonly Program _program;

    private ChatTemplate(string source, Program program)
    {
        Source = source;
        _program = program;
    }

    /// <summary>The template's text.</summary>
    public string Source { get; }

    internal Program Program => _program;

    /// <summary>Reads a template.</summary>
    /// <exception cref="TemplateException">ATT1001, ATT1002, ATT1007: it is broken; line and column say where.</exception>
    public static ChatTemplate Parse(string source)
    {
        ArgumentNullException.ThrowIfNull(source);
        var lone = CodePoints.LoneSurrogate(source);
        if (lone >= 0)
            throw TemplateException.From(PyError.Syntax("The template is not valid UTF-16: a surrogate stands without its pair.", lone), TemplatePhase.Compile, source, lone);
        try
        {
            return new(source, Program.Compile(source));
        }
        catch (PyError error)
        {
            throw TemplateException.From(error, TemplatePhase.Compile, Lexer.Normalise(source), 0);
        }
    }

    /// <summary>Renders a conversation.</summary>
    /// <exception cref="TemplateException">The template fails on this conversation, refuses it, or meets a limit.</exception>
    public TemplateRender Render(Conversation conversation, TemplateSettings? settings = null) =>
        Render(PreparedConversation.From(conversation), settings);

    /// <summary>Renders a conversation that was prepared before: the quick way to render it more than once.</summary>
    /// <exception cref="TemplateException">The template fails on this conversation, refuses it, or meets a limit.</exception>
    public TemplateRender Render(PreparedConversation conversation, TemplateSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        settings ??= new TemplateSettings();
        return Run(conversation.Variables(settings), settings);
    }

    /// <summary>Renders with just these variables, as a plain Jinja environment would: no messages, no preparation.</summary>
    /// <exception cref="TemplateException">The template fails, or meets a limit.</exception>
    public TemplateRender RenderVariables(JsonObject variables, TemplateSettings? settings = null)
    {
        ArgumentNullException.ThrowIfNull(variables);
        var values = new PyDictBuilder(variables.Count);
        foreach (var (name, node) in variables)
            values.Set(new PyStr(name), Values.From(node, SourceKind.Variable, -1, name, trusted: false));
        return Run(values.Build(), settings ?? new TemplateSettings());
    }

    private TemplateRender Run(PyDict variables, TemplateSettings settings)
    {
        var state = RenderState.Begin(_program, variables, settings.Limits, settings.Now ?? DateTime.Now);
        try
        {
            _program.Run(state);
            return new(state.Root.Chars.ToString(), state.FoundSpans, state.Root.Runs());
        }
        catch (PyError error)
        {
            throw TemplateException.From(error, TemplatePhase.Render, _program.Source, state.Position);
        }
        finally
        {
            state.End();
        }
    }
}
