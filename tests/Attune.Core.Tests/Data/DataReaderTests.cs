using System.Text;
using Attune.Core.Data;
using Attune.Prompts;
using CsCheck;
using Xunit;

namespace Attune.Core.Tests.Data;

public class DataReaderTests
{
    private static string Turns(Conversation conversation) =>
        string.Join("|", conversation.Messages.Select(m => $"{m.Role}:{m.Content}{m.Fields?.ToJsonString()}"));

    private static T One<T>(string json)
        where T : DataRow
    {
        using var file = new TempFile(".jsonl", json);
        return Assert.IsType<T>(Assert.Single(DataReader.Read(file.Path)));
    }

    [Theory]
    [InlineData("""{"instruction":"Add.","input":"1 2","output":"3"}""", "user:Add.\n1 2|assistant:3")]
    [InlineData("""{"instruction":"Hi","input":"","output":"Ho","system":"S","history":[["a","b"]]}""", "system:S|user:a|assistant:b|user:Hi|assistant:Ho")]
    [InlineData("""{"conversations":[{"from":"human","value":"a"},{"from":"gpt","value":"b"}],"system":"S"}""", "system:S|user:a|assistant:b")]
    [InlineData("""{"conversations":[{"from":"system","value":""},{"from":"human","value":"a"},{"from":"gpt","value":"b"}]}""", "user:a|assistant:b")]
    [InlineData("""{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning_content":"r"}]}""", """user:a|assistant:b{"reasoning_content":"r"}""")]
    [InlineData("""{"prompt":"a","completion":"b"}""", "user:a|assistant:b")]
    [InlineData("""{"prompt":[{"role":"user","content":"a"}],"completion":[{"role":"assistant","content":"b"}]}""", "user:a|assistant:b")]
    public void Conversations_come_from_every_format(string json, string expected) =>
        Assert.Equal(expected, Turns(One<ConversationRow>(json).Conversation));

    [Fact]
    public void Function_calls_become_tool_messages()
    {
        var row = One<ConversationRow>("""
            {"tools":"[{\"name\":\"add\",\"parameters\":{}}]","conversations":[{"from":"human","value":"q"},{"from":"function_call","value":"{\"name\":\"add\",\"arguments\":{\"a\":1}}"},{"from":"function_call","value":"{\"name\":\"mul\",\"arguments\":{}}"},{"from":"observation","value":"2"},{"from":"gpt","value":"b"}]}
            """);
        Assert.Equal("""[{"type":"function","function":{"name":"add","parameters":{}}}]""", row.Conversation.Tools!.ToJsonString());
        Assert.Equal(
            """user:q|assistant:{"tool_calls":[{"id":"call00001","type":"function","function":{"name":"add","arguments":{"a":1}}},{"id":"call00002","type":"function","function":{"name":"mul","arguments":{}}}]}|tool:2{"name":"mul","tool_call_id":"call00002"}|assistant:b""",
            Turns(row.Conversation));
    }

    [Fact]
    public void Arguments_as_text_become_json()
    {
        var row = One<ConversationRow>("""
            {"messages":[{"role":"user","content":"q"},{"role":"assistant","content":null,"tool_calls":[{"id":"x","type":"function","function":{"name":"f","arguments":"{\"a\":1}"}}]},{"role":"tool","tool_call_id":"x","content":"2"},{"role":"assistant","content":"b"}]}
            """);
        Assert.Equal("""{"a":1}""", row.Conversation.Messages[1].Fields!["tool_calls"]![0]!["function"]!["arguments"]!.ToJsonString());
        Assert.Equal("""{"tool_call_id":"x"}""", row.Conversation.Messages[2].Fields!.ToJsonString());
    }

    [Theory]
    [InlineData("""{"prompt":"q","chosen":"a","rejected":"b"}""")]
    [InlineData("""{"instruction":"q","chosen":"a","rejected":"b"}""")]
    [InlineData("""{"prompt":[{"role":"user","content":"q"}],"chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":"b"}]}""")]
    [InlineData("""{"chosen":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"rejected":[{"role":"user","content":"q"},{"role":"assistant","content":"b"}]}""")]
    [InlineData("""{"conversations":[{"from":"human","value":"q"}],"chosen":{"from":"gpt","value":"a"},"rejected":{"from":"gpt","value":"b"}}""")]
    [InlineData("""{"messages":[{"role":"user","content":"q"}],"chosen":{"role":"assistant","content":"a"},"rejected":{"role":"assistant","content":"b"}}""")]
    public void Pairs_come_from_every_format(string json)
    {
        var row = One<PreferenceRow>(json);
        Assert.Equal("user:q", Turns(row.Prompt));
        Assert.Equal(("a", "b"), (Assert.Single(row.Chosen).Content, Assert.Single(row.Rejected).Content));
    }

    [Theory]
    [InlineData("""{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}],"label":false}""")]
    [InlineData("""{"prompt":"q","completion":"a","label":false}""")]
    [InlineData("""{"instruction":"q","output":"a","kto_tag":false}""")]
    [InlineData("""{"conversations":[{"from":"human","value":"q"},{"from":"gpt","value":"a"}],"label":false}""")]
    public void Labels_come_from_every_format(string json)
    {
        var row = One<LabelledRow>(json);
        Assert.Equal(("user:q|assistant:a", false), (Turns(row.Conversation), row.Desirable));
    }

    [Fact]
    public void Rows_carry_their_line_and_kind()
    {
        using var lines = new TempFile(".jsonl", "{\"text\":\"a\",\"kind\":\"bio\"}\r\n\r\n{\"text\":\"b\"}\n");
        Assert.Equal([("a", 1, "bio"), ("b", 3, null)], DataReader.ReadTexts(lines.Path).Select(r => (r.Text, r.Origin.Line, r.Origin.Kind)));

        using var array = new TempFile(".json", "\n[\n  {\"text\": \"a\"},\n  {\n    \"text\": \"b\"},{\"text\":\"c\"}\n]\n");
        Assert.Equal([("a", 3), ("b", 4), ("c", 5)], DataReader.ReadTexts(array.Path).Select(r => (r.Text, r.Origin.Line)));
    }

    [Theory]
    [InlineData(".txt", "A tale.\n\nOf two.\n", FileLayout.WholeText, new[] { "A tale.\n\nOf two.\n" })]
    [InlineData(".txt", "one\r\ntwo\n<|endoftext|>\nthree\n", FileLayout.MarkedText, new[] { "one\ntwo\n", "three\n" })]
    [InlineData(".txt", "[Enter a king]\n{so}\n", FileLayout.WholeText, new[] { "[Enter a king]\n{so}\n" })]
    [InlineData(".txt", "{\"text\":\"x\"}\n", FileLayout.JsonLines, new[] { "x" })]
    [InlineData("", "[{\"text\":\"x\"}]", FileLayout.JsonArray, new[] { "x" })]
    public void Text_is_told_from_json_by_its_content(string extension, string content, FileLayout layout, string[] documents)
    {
        using var file = new TempFile(extension, content);
        Assert.Equal(layout, DataFormat.Detect(file.Path).Layout);
        Assert.Equal(documents, DataReader.ReadTexts(file.Path).Select(r => r.Text));
    }

    [Fact]
    public void Long_lines_are_documents_each()
    {
        using var file = new TempFile(".txt", new string('a', 300) + "\n" + new string('b', 300) + "\n");
        Assert.Equal([('a', 1), ('b', 2)], DataReader.ReadTexts(file.Path).Select(r => (r.Text[0], r.Origin.Line)));
    }

    [Fact]
    public void A_huge_document_comes_in_pieces_that_say_so()
    {
        using var file = new TempFile(".txt", string.Concat(Enumerable.Repeat(new string('x', 99) + "\n", 25_000)) + "\n");
        var pieces = DataReader.ReadTexts(file.Path).ToList();
        Assert.Equal([(true, false), (false, false), (false, true)], pieces.Select(p => (p.Opens, p.Closes)));
        Assert.Equal(2_500_001, pieces.Sum(p => p.Text.Length));
    }

    public static TheoryData<byte[], string> MarkedEncodings => new()
    {
        { [.. Encoding.UTF8.Preamble, .. Encoding.UTF8.GetBytes("{\"text\":\"é\"}")], "UTF-8" },
        { [.. Encoding.Unicode.Preamble, .. Encoding.Unicode.GetBytes("{\"text\":\"é\"}")], "UTF-16" },
        { [.. Encoding.BigEndianUnicode.Preamble, .. Encoding.BigEndianUnicode.GetBytes("[{\"text\":\"é\"}]")], "UTF-16BE" },
        { [.. Encoding.UTF32.Preamble, .. Encoding.UTF32.GetBytes("[{\"text\":\"é\"}]")], "UTF-32" },
    };

    [Theory]
    [MemberData(nameof(MarkedEncodings))]
    public void A_byte_order_mark_is_believed(byte[] bytes, string name)
    {
        using var file = new TempFile(".json", bytes);
        Assert.Contains(name, DataFormat.Detect(file.Path).Evidence);
        Assert.Equal("é", Assert.Single(DataReader.ReadTexts(file.Path)).Text);
    }

    [Fact]
    public void The_wrong_kind_of_data_is_named()
    {
        using var file = new TempFile(".jsonl", """{"prompt":"q","chosen":"a","rejected":"b"}""");
        var error = Assert.Throws<DataException>(() => DataReader.ReadConversations(file.Path));
        Assert.Equal("ATT3009", error.Code);
        Assert.Contains("attune dpo", error.Hint);
    }

    [Fact]
    public void Bad_rows_can_be_dropped_and_are_counted()
    {
        using var file = new TempFile(".jsonl", """
            {"instruction":"a","output":"b"}
            {"instruction":"a","output":""}
            {"instruction":
            {"instruction":"c","output":"d"}
            """);
        var tally = new RowTally();
        Assert.Equal([1, 4], DataReader.ReadConversations(file.Path, BadRows.Drop, tally).Select(r => r.Origin.Line));
        Assert.Equal((4, 2, 2), (tally.Read, tally.DroppedRows, tally.Kept));
        Assert.Contains(tally.Dropped.Keys, k => k.StartsWith("ATT3012", StringComparison.Ordinal));
    }

    [Fact]
    public void Dropping_every_row_is_an_error()
    {
        using var file = new TempFile(".jsonl", """{"conversations":[{"from":"robot","value":"a"}]}""");
        Assert.Equal("ATT3009", Assert.Throws<DataException>(() => DataReader.ReadConversations(file.Path, BadRows.Drop).Count()).Code);
    }
}

public class BadDataTests
{
    private const string User = """{"role":"user","content":"q"}""", Assistant = """{"role":"assistant","content":"a"}""";

    [Theory]
    // The file.
    [InlineData(".jsonl", "", "ATT3002", null, null, "")]
    [InlineData(".jsonl", "\n  \n", "ATT3002", null, null, "")]
    [InlineData(".json", "[]", "ATT3002", null, null, "")]
    [InlineData(".json", "hello", "ATT3004", 1, null, "")]
    [InlineData(".jsonl", "{\"text\":\"a\"}\n{\"text\":\"b\"\n{\"text\":\"c\"}", "ATT3004", 2, null, "one whole object on each line")]
    [InlineData(".json", "[{\"text\":\"a\"},\n{\"text\":\"b\"},\n{\"text\" \"c\"}]", "ATT3004", 3, null, "")]
    [InlineData(".json", "[{\"text\":\"a\"},\n{\"text\":\"b\"}\n", "ATT3004", 3, null, "")]
    [InlineData(".json", "[{\"text\":\"a\"},\n{\"text\":\"b\"}]\nmore", "ATT3004", 3, null, "")]
    [InlineData(".json", "[{\"text\":\"a\"},\n{\"text\":\"b\",\n\"text\":\"c\"}]", "ATT3004", 2, null, "")]
    [InlineData(".jsonl", "{\"text\":\"a\"}\n[1]", "ATT3007", 2, "row", "")]
    // Fields.
    [InlineData(".jsonl", """{"instrution":"a","output":"b"}""", "ATT3008", 1, "instrution", "'instruction'")]
    [InlineData(".jsonl", """{"instruction":"a","outptu":"b"}""", "ATT3008", 1, "outptu", "'output'")]
    [InlineData(".jsonl", """{"instruction":"a","inputs":"x","output":"b"}""", "ATT3008", 1, "inputs", "'input'")]
    [InlineData(".jsonl", """{"instruction":"a","response":"b"}""", "ATT3006", 1, "output", "instruction, response")]
    [InlineData(".jsonl", """{"a":"b"}""", "ATT3005", 1, null, "Known:")]
    [InlineData(".json", "{\n\"demo\": [1]\n}", "ATT3005", 1, null, "array")]
    [InlineData(".jsonl", """{"text":3}""", "ATT3007", 1, "text", "")]
    [InlineData(".jsonl", """{"text":" "}""", "ATT3012", 1, "text", "")]
    [InlineData(".jsonl", "{\"text\":\"a\"}\n{\"txt\":\"b\"}", "ATT3008", 2, "txt", "'text'")]
    [InlineData(".jsonl", """{"text":"\ud800"}""", "ATT3003", 1, "text", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{"role":"assistant","contnet":"a"}]}""", "ATT3006", 1, "messages[1].content", "'content'")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{{Assistant}}],"label":"good"}""", "ATT3007", 1, "label", "")]
    // Roles.
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{"role":"asistant","content":"a"}]}""", "ATT3010", 1, "messages[1].role", "'assistant'")]
    [InlineData(".jsonl", """{"conversations":[{"from":"humann","value":"a"}]}""", "ATT3010", 1, "conversations[0].from", "'human'")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{{User}},{{Assistant}}]}""", "ATT3011", 1, "messages[1]", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{Assistant}},{{User}},{{Assistant}}]}""", "ATT3011", 1, "messages[0]", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{{Assistant}},{{Assistant}}]}""", "ATT3011", 1, "messages[2]", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{"role":"system","content":"s"},{{Assistant}}]}""", "ATT3011", 1, "messages[1]", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{"role":"tool","content":"s"},{{Assistant}}]}""", "ATT3011", 1, "messages[1]", "")]
    [InlineData(".jsonl", """{"messages":[{"role":"system","content":"s"}]}""", "ATT3014", 1, "messages", "")]
    [InlineData(".jsonl", """{"messages":[]}""", "ATT3014", 1, "messages", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{"role":"assistant","content":" "}]}""", "ATT3012", 1, "messages[1]", "")]
    [InlineData(".jsonl", $$"""{"messages":[{"role":"user","content":""},{{Assistant}}]}""", "ATT3014", 1, "messages[0]", "")]
    [InlineData(".jsonl", """{"instruction":"","input":"","output":"b"}""", "ATT3014", 1, "instruction", "")]
    [InlineData(".jsonl", """{"conversations":[{"from":"human","value":"a"},{"from":"function_call","value":"add(1)"}]}""", "ATT3015", 1, "conversations[1]", "")]
    [InlineData(".jsonl", """{"conversations":[{"from":"human","value":"a"},{"from":"function_call","value":"{\"name\":\"\\ud800\"}"}]}""", "ATT3003", 1, "conversations[1]", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{"role":"assistant","content":"x","tool_calls":"f"}]}""", "ATT3007", 1, "messages[1].tool_calls", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{"role":"assistant","content":"x","tool_calls":[{"id":"1"}]},{"from":"tool","value":"2"}]}""", "ATT3015", 1, "messages[1].tool_calls", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{"role":"assistant","content":"x","name":"\udc00"}]}""", "ATT3003", 1, "messages", "")]
    [InlineData(".jsonl", $$"""{"messages":[{{User}},{{Assistant}}],"tools":[3]}""", "ATT3007", 1, "tools", "")]
    [InlineData(".jsonl", """{"text":"a","\uDBFF":1}""", "ATT3003", 1, null, "")]
    // Pairs.
    [InlineData(".jsonl", """{"prompt":"q","chosen":"a","rejected":"a"}""", "ATT3013", 1, "rejected", "")]
    [InlineData(".jsonl", """{"prompt":"q","chosen":"a","rejected":""}""", "ATT3012", 1, "rejected[1]", "")]
    [InlineData(".jsonl", """{"prompt":" ","chosen":"a","rejected":"b"}""", "ATT3014", 1, "prompt[0]", "")]
    [InlineData(".jsonl", """{"chosen":"a","rejected":"b"}""", "ATT3014", 1, "prompt", "")]
    [InlineData(".jsonl", """{"prompt":"q","choosen":"a","rejected":"b"}""", "ATT3008", 1, "choosen", "'chosen'")]
    [InlineData(".jsonl", $$"""{"chosen":[{{User}},{{Assistant}}],"rejected":[{{User}},{{Assistant}}]}""", "ATT3013", 1, "rejected", "")]
    [InlineData(".jsonl", $$"""{"chosen":[{{User}},{{Assistant}}],"rejected":[{{User}}]}""", "ATT3012", 1, "rejected", "")]
    public void Bad_data_is_refused_with_its_place(string extension, string content, string code, int? line, string? field, string hint)
    {
        using var file = new TempFile(extension, content);
        var error = Assert.Throws<DataException>(() => DataReader.Read(file.Path).Count());
        Assert.Equal((code, file.Path, line, field), (error.Code, error.File, error.Line, error.Field));
        Assert.Contains(hint, error.Hint ?? "");
    }

    [Fact]
    public void What_ends_with_the_user_is_a_prompt_and_no_conversation_to_learn_from()
    {
        using var file = new TempFile(".jsonl", $$"""{"messages":[{{User}}]}""");
        Assert.IsType<PromptRow>(Assert.Single(DataReader.Read(file.Path)));
        var error = Assert.Throws<DataException>(() => DataReader.ReadConversations(file.Path).Count());
        Assert.Contains("prompts", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_file_is_named()
    {
        var error = Assert.Throws<DataException>(() => DataReader.Read("no/such/file.jsonl").Count());
        Assert.Equal(("ATT3001", "no/such/file.jsonl"), (error.Code, error.File));
    }

    [Theory]
    [InlineData(".jsonl")]
    [InlineData(".json")]
    [InlineData(".txt")]
    public void Latin1_is_refused_at_its_line(string extension)
    {
        using var file = new TempFile(extension, Encoding.Latin1.GetBytes("[{\"text\":\"a\"},\n{\"text\":\"café\"}]".Replace(extension == ".jsonl" ? "," : "#", "")
            .Replace(extension == ".jsonl" ? "[" : "#", "").Replace(extension == ".jsonl" ? "]" : "#", "")));
        var error = Assert.Throws<DataException>(() => DataReader.Read(file.Path).Count());
        Assert.Equal(("ATT3003", 2), (error.Code, error.Line));
        Assert.Contains("0xE9", error.Message);
    }

    [Fact]
    public void Utf16_without_its_mark_is_named()
    {
        using var file = new TempFile(".txt", Encoding.Unicode.GetBytes("hello"));
        Assert.Contains("NUL", Assert.Throws<DataException>(() => DataReader.Read(file.Path).Count()).Message);
    }
}

public class DataReaderFuzzTests
{
    private static readonly string[] Fields =
        ["text", "messages", "conversations", "instruction", "input", "output", "history", "system", "tools", "prompt", "completion", "chosen", "rejected", "label", "kind", "role", "content", "from", "value", "tool_calls"];

    private static Gen<string> Among(params string[] texts) => Gen.Int[0, texts.Length - 1].Select(i => texts[i]);

    private static readonly Gen<string> Scalar = Among("null", "true", "3", "\"\"", "\"a\"", "\"user\"", "\"assistant\"", "\"human\"", "\"gpt\"", "\"function_call\"", "\"tool\"", "\"{}\"", "\"[1]\"", "\"\\ud800\"");

    private static Gen<string> Value(int depth) => depth == 0
        ? Scalar
        : Gen.Frequency((3, Scalar), (2, Value(depth - 1).Array[0, 3].Select(v => $"[{string.Join(',', v)}]")), (3, Object(depth - 1)));

    private static Gen<string> Object(int depth) =>
        Gen.Select(Among(Fields), Value(depth)).Array[0, 4].Select(fields => "{" + string.Join(',', fields.Select(f => $"\"{f.Item1}\":{f.Item2}")) + "}");

    [Fact]
    public void Whatever_json_comes_it_is_read_or_refused_by_name() => Object(3).Array[1, 3].Sample(
        rows => OnlyTypedErrors(Encoding.UTF8.GetBytes(string.Join('\n', rows))), iter: 500, seed: "0N0XIzNsQ0O2", threads: 1);

    [Fact]
    public void Whatever_byte_is_changed_the_file_is_read_or_refused_by_name()
    {
        var whole = Encoding.UTF8.GetBytes("""[{"messages":[{"role":"user","content":"é"},{"role":"assistant","content":"b"}],"tools":"[]"},{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}]""");
        Gen.Select(Gen.Int[0, whole.Length - 1], Gen.Byte, Gen.Bool).Sample(
            (at, value, cut) =>
            {
                var bytes = cut ? whole[..at] : whole.ToArray();
                if (!cut)
                    bytes[at] = value;
                OnlyTypedErrors(bytes);
            },
            iter: 500, seed: "0N0XIzNsQ0O2", threads: 1);
    }

    private static void OnlyTypedErrors(byte[] content)
    {
        using var file = new TempFile(".json", content);
        try
        {
            foreach (var row in DataReader.Read(file.Path))
                Assert.True(row.Origin.Line > 0);
        }
        catch (DataException error)
        {
            Assert.Equal(file.Path, error.File);
        }
    }
}
