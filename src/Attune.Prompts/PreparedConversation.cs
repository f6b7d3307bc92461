using System.Text.Json.Nodes;
using Attune.Prompts.Jinja;

namespace Attune.Prompts;

/// <summary>
/// A conversation as templates see it: plain values, fields that are null dropped, a message's reasoning under both
/// names that templates look for. Made once, rendered by any number of templates; it never changes.
/// </summary>
public sealed class PreparedConversation
{
    private readonly PyDict _variables;
    private VariableSet? _last;

    private sealed record VariableSet(TemplateSettings Settings, PyDict Values);

    private PreparedConversation(PyDict variables) => _variables = variables;

    /// <summary>Prepares a conversation.</summary>
    /// <exception cref="TemplateException">ATT1010: text is not valid UTF-16, or JSON is nested too deeply; the field says where.</exception>
    public static PreparedConversation From(Conversation conversation)
    {
        ArgumentNullException.ThrowIfNull(conversation);
        var messages = new object?[conversation.Messages.Count];
        for (var i = 0; i < messages.Length; i++)
        {
            try
            {
                messages[i] = MessageOf(conversation.Messages[i], i);
            }
            catch (ArgumentException e)
            {
                // JSON that was parsed with a name twice says so only when it is looked at.
                throw Values.Bad("fields", i, "are not valid JSON: " + e.Message);
            }
        }
        var variables = new PyDictBuilder(8);
        variables.Set(new PyStr("messages"), new PyList(messages, new Origin(SourceKind.Message, -1, "messages")));
        variables.Set(new PyStr("tools"), conversation.Tools is null ? null : Values.From(conversation.Tools, SourceKind.Tools, -1, "tools", trusted: false));
        variables.Set(new PyStr("documents"), conversation.Documents is null ? null : Values.From(conversation.Documents, SourceKind.Documents, -1, "documents", trusted: false));
        foreach (var (name, node) in conversation.Variables ?? [])
            variables.Set(new PyStr(name), Values.From(node, SourceKind.Variable, -1, name, trusted: false));
        return new(variables.Build());
    }

    /// <summary>The same without some variables: what an engine that leaves out empty ones would pass.</summary>
    internal PreparedConversation Without(params ReadOnlySpan<string> names)
    {
        var rest = new PyDictBuilder(_variables.Count);
        for (var i = 0; i < _variables.Count; i++)
        {
            if (_variables.KeyAt(i) is PyStr key && !names.Contains(key.Text))
                rest.Set(key, _variables.ValueAt(i));
        }
        return new(rest.Build());
    }

    internal PyDict Variables(TemplateSettings settings)
    {
        if (_last is { } last && ReferenceEquals(last.Settings, settings))
            return last.Values;
        var builder = new PyDictBuilder(_variables.Count + settings.SpecialTokens.Count + 1);
        for (var i = 0; i < _variables.Count; i++)
            builder.Set(_variables.KeyAt(i), _variables.ValueAt(i));
        foreach (var (name, text) in settings.SpecialTokens)
            builder.Set(new PyStr(name), new PyStr(text));
        if (settings.AddGenerationPrompt is { } add)
            builder.Set(new PyStr("add_generation_prompt"), Py.Bool(add));
        var values = builder.Build();
        _last = new(settings, values);
        return values;
    }

    private static PyDict MessageOf(Message message, int index)
    {
        // Only what a model of ours produced, with the ids that it produced, may hold control tokens.
        var trusted = message.GeneratedIds is not null;
        var builder = new PyDictBuilder(4);
        builder.Set(Key("role"), Values.Text(message.Role, SourceKind.Message, index, "role", trusted: false));
        if (message.Content is not null)
            builder.Set(Key("content"), Values.Text(message.Content, SourceKind.Message, index, "content", trusted));
        object? reasoning = null;
        foreach (var (name, node) in message.Fields ?? [])
        {
            if (node is null || (name == "role") || (name == "content" && message.Content is not null))
                continue;
            builder.Set(Key(name), Values.From(node, SourceKind.Message, index, name, trusted));
        }
        foreach (var name in (ReadOnlySpan<string>)["reasoning_content", "thinking", "reasoning"])
        {
            if (reasoning is null && message.Fields?[name] is { } node)
                reasoning = Values.From(node, SourceKind.Message, index, name, trusted);
        }
        if (reasoning is not null)
        {
            builder.Set(Key("reasoning_content"), reasoning);
            builder.Set(Key("thinking"), reasoning);
        }
        return builder.Build(new Origin(SourceKind.Message, index, null));

        PyStr Key(string name) => Values.Text(name, SourceKind.Message, index, name, trusted: false);
    }
}
