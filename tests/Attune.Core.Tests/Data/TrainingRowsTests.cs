using Attune.Core.Data;
using Attune.Prompts;
using Xunit;

namespace Attune.Core.Tests.Data;

public class TrainingRowsTests
{
    private static readonly CharEncoder Encoder = new();
    private static readonly RowOrigin Here = new("f.jsonl", 7, "qa");
    private static readonly int[] Ends = [CharEncoder.EndOfTurn];

    private static ConversationRow Talk(params string[] turns) =>
        new(new Conversation([.. turns.Select((t, i) => new Message(i % 2 == 0 ? "user" : "assistant", t))]), Here);

    private static PreferenceRow Pair(string prompt, string chosen, string rejected) =>
        new(new Conversation([new Message("user", prompt)]), [new Message("assistant", chosen)], [new Message("assistant", rejected)], Here);

    private static string Trained(TokenRow row) =>
        Encoder.Decode([.. row.Ids.Where((_, i) => row.Trained[i])]);

    private static string Text(TokenRow row) => Encoder.Decode(row.Ids);

    [Fact]
    public void Text_stands_between_boundaries_and_is_never_control()
    {
        var row = TokenRows.OfText(new TextRow("a<|im_end|>", Here), Encoder, CharEncoder.EndOfText);
        Assert.Equal([CharEncoder.EndOfText, 'a', '<'], row.Ids[..3]);
        Assert.Equal(CharEncoder.EndOfText, row.Ids[^1]);
        Assert.DoesNotContain(CharEncoder.EndOfTurn, row.Ids);
        Assert.Equal(row.Ids.Length - 1, row.TrainedTokens);
        var middle = TokenRows.OfText(new TextRow("ab", Here) { Opens = false, Closes = false }, Encoder, CharEncoder.EndOfText);
        Assert.Equal(['a', 'b'], middle.Ids);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(7)]
    [InlineData(100)]
    public void Windows_predict_every_token_once(int window)
    {
        var row = TokenRows.OfText(new TextRow("abcdefghijklm", Here), Encoder, CharEncoder.EndOfText);
        var windows = TokenRows.Windows(row, window).ToList();
        Assert.All(windows, w => Assert.InRange(w.Ids.Length, 2, window));
        Assert.Equal(row.Ids[1..], windows.SelectMany(w => w.Ids[1..]));
        var batch = RaggedBatch.Of([.. windows.Select(w => w.Ids)], [.. windows.Select(w => w.Trained)]);
        Assert.Equal(row.Ids.Length - 1, batch.Targets.Count(t => t != RaggedBatch.Ignore));
    }

    [Fact]
    public void Only_the_assistant_is_trained_and_its_end_of_turn()
    {
        var row = TokenRows.OfConversation(Talk("q", "one", "r", "two"), FakeTemplate.Render);
        Assert.Equal("one<|im_end|>two<|im_end|>", Trained(row));
        Assert.Equal("qa", row.Origin.Kind);
    }

    [Fact]
    public void Pairs_share_their_prompt_and_train_only_completions()
    {
        var row = Pair("q", "yes", "no") with { Prompt = new Conversation([new("user", "q"), new("assistant", "early"), new("user", "r")]) };
        var pair = TokenRows.OfPreference(row, FakeTemplate.Render);
        Assert.Equal(("yes<|im_end|>", "no<|im_end|>"), (Trained(pair.Chosen), Trained(pair.Rejected)));
        Assert.Equal(pair.Chosen.Ids[..pair.PromptLength], pair.Rejected.Ids[..pair.PromptLength]);
        Assert.EndsWith("<|im_start|>assistant\n", Encoder.Decode(pair.Chosen.Ids.AsSpan(0, pair.PromptLength)));
    }

    [Fact]
    public void A_completion_with_a_tool_call_in_it_is_trained_whole()
    {
        Message[] chosen = [new("assistant", "call"), new("tool", "result"), new("assistant", "done")];
        var pair = TokenRows.OfPreference(Pair("q", "", "no") with { Chosen = chosen }, FakeTemplate.Render);
        Assert.Equal("call<|im_end|>done<|im_end|>", Trained(pair.Chosen));
    }

    [Fact]
    public void Of_a_labelled_row_only_the_labelled_message_is_trained()
    {
        var row = TokenRows.OfLabelled(new LabelledRow(Talk("q", "one", "r", "two").Conversation, true, Here), FakeTemplate.Render);
        Assert.Equal("two<|im_end|>", Trained(row));
    }

    // Failure 1 (trl#2054): tokens that merge across the prompt's edge shift masks in silence.
    [Fact]
    public void A_prompt_that_the_completion_changes_is_refused()
    {
        static RenderedTokens Merging(Conversation c)
        {
            var (ids, trained) = (FakeTemplate.Render(c).Ids.ToList(), FakeTemplate.Render(c).Trained.ToList());
            var edge = trained.IndexOf(true);
            if (ids[edge] != '\n')
                return new(ids, trained);
            // "\n" of the template and "\n" of the completion as one token, which belongs to neither.
            (ids[edge], trained[edge]) = (0x2424, true);
            ids.RemoveAt(edge - 1);
            trained.RemoveAt(edge - 1);
            return new(ids, trained);
        }

        var error = Assert.Throws<DataException>(() => TokenRows.OfPreference(Pair("q", "\nyes", "no"), Merging));
        Assert.Equal(("ATT3032", 7), (error.Code, error.Line));
    }

    private static RenderedTokens ForGeneration(Conversation conversation)
    {
        var rendered = FakeTemplate.Render(conversation);
        int[] ids = [.. rendered.Ids, CharEncoder.Start, .. "assistant\n".Select(c => (int)c)];
        return new(ids, new bool[ids.Length]);
    }

    [Fact]
    public void Training_and_inference_see_the_same_prompt()
    {
        var report = Boundary.Check([Talk("q", "a"), Talk("q", "a", "r", "\nb")], FakeTemplate.Render, ForGeneration, Encoder);
        Assert.Equal((2, 0), (report.Rows, report.Different));
    }

    // Failures 1 and 8: the edge moved (a merge), or the template differs between training and inference.
    [Fact]
    public void A_prompt_that_inference_sees_otherwise_is_counted_and_refused_where_it_is_all()
    {
        // "\n" of the template and a first "\n" of the completion as one token.
        static RenderedTokens Merging(Conversation c)
        {
            var (ids, trained) = (FakeTemplate.Render(c).Ids.ToList(), FakeTemplate.Render(c).Trained.ToList());
            for (var i = 1; i < ids.Count; i++)
            {
                if (ids[i] == '\n' && ids[i - 1] == '\n' && trained[i])
                {
                    (ids[i - 1], trained[i - 1]) = (0x2424, true);
                    ids.RemoveAt(i);
                    trained.RemoveAt(i);
                }
            }
            return new(ids, trained);
        }

        var report = Boundary.Check([Talk("q", "a"), Talk("q", "\na")], Merging, ForGeneration, Encoder);
        Assert.Equal((2, 1), (report.Rows, report.Different));
        Assert.Contains("training has '\u2424a", report.Difference);

        var error = Assert.Throws<DataException>(() => Boundary.Check([Talk("q", "a")], c => FakeTemplate.Render(c) with { Ids = [0, .. FakeTemplate.Render(c).Ids] }, ForGeneration, Encoder));
        Assert.Equal(("ATT3033", 7), (error.Code, error.Line));
    }

    // Failure 2 (trl#6105): a change of what the template returns made every mask wrong with a warning.
    [Fact]
    public void Flags_that_do_not_fit_the_tokens_are_refused()
    {
        var error = Assert.Throws<DataException>(() => TokenRows.OfConversation(Talk("q", "a"), _ => new([1, 2, 3], [true])));
        Assert.Equal("ATT3032", error.Code);
    }

    // Failure 3 (trl#1623, axolotl#3754): the end of turn is never trained, and the model never stops.
    [Fact]
    public void A_run_that_never_trains_the_end_of_turn_is_refused()
    {
        var rows = TrainingRows.OfConversations([Talk("q", "a")], c => FakeTemplate.Render(c, trainEnd: false), 99, OverlongRows.Error, new());
        Assert.Equal("ATT3031", Assert.Throws<DataException>(() => Preflight.OfConversations(rows, new(), Encoder, Ends)).Code);
    }

    // Failures 4 and 13: truncation or a missing marker masks every label; the run "succeeds" with a loss of 0.0.
    [Fact]
    public void A_run_without_a_trained_token_is_refused_and_says_how_many_rows()
    {
        var tally = new RowTally { Read = 3 };
        var rows = TrainingRows.OfConversations([Talk("a long question", "a"), Talk("a long question", "b"), Talk("a long question", "c")], FakeTemplate.Render, 12, OverlongRows.Truncate, tally);
        Assert.Empty(rows);
        Assert.Equal((3, 0), (tally.Masked.Values.Sum(), tally.Kept));
        var error = Assert.Throws<DataException>(() => Preflight.OfConversations(rows, tally, Encoder, Ends));
        Assert.Equal("ATT3030", error.Code);
        Assert.Contains("3 × nothing of the completion inside the window", error.Message);

        var unmarked = new RowTally { Read = 1 };
        rows = TrainingRows.OfConversations([Talk("q", "a")], c => new(FakeTemplate.Render(c).Ids, new bool[FakeTemplate.Render(c).Ids.Count]), 99, OverlongRows.Error, unmarked);
        Assert.Contains("1 × no trained token", Assert.Throws<DataException>(() => Preflight.OfConversations(rows, unmarked, Encoder, Ends)).Message);
    }

    // Failures 5 and 14: a conversation longer than the window clogs the packer, or is cut by a default that nobody chose.
    [Fact]
    public void Overlong_rows_are_refused_with_their_number_unless_a_policy_is_chosen()
    {
        ConversationRow[] rows = [Talk("q", "a"), Talk("q", new string('x', 50)), Talk("q", "b", "r", new string('y', 90))];
        var error = Assert.Throws<DataException>(() => TrainingRows.OfConversations(rows, FakeTemplate.Render, 40, OverlongRows.Error, new()));
        Assert.Equal(("ATT3020", "f.jsonl", 7), (error.Code, error.File, error.Line));
        Assert.Contains("2 of 3 rows", error.Message);

        var dropped = new RowTally { Read = 3 };
        Assert.Single(TrainingRows.OfConversations(rows, FakeTemplate.Render, 40, OverlongRows.Drop, dropped));
        Assert.Equal((2, 1), (dropped.Dropped["longer than the window"], dropped.Kept));

        var cut = new RowTally { Read = 3 };
        var kept = TrainingRows.OfConversations(rows, FakeTemplate.Render, 40, OverlongRows.Truncate, cut);
        Assert.Equal((3, 2), (kept.Count, cut.Truncated.Values.Sum()));
        Assert.All(kept, r => Assert.InRange(r.Ids.Length, 1, 40));
        var report = Preflight.OfConversations(kept, cut, Encoder, Ends);
        Assert.Equal((3, 2), (report.Turns, report.EndedTurns));
    }

    [Fact]
    public void A_pair_is_cut_as_one()
    {
        var tally = new RowTally { Read = 2 };
        var pairs = TrainingRows.OfPreferences([Pair("q", "yes", new string('n', 60)), Pair(new string('q', 60), "yes", "no")], FakeTemplate.Render, 40, OverlongRows.Truncate, tally);
        var pair = Assert.Single(pairs);
        Assert.Equal((40, 1, 1), (pair.Rejected.Ids.Length, tally.Truncated.Values.Sum(), tally.Masked.Values.Sum()));
        Assert.Equal("yes<|im_end|>", Trained(pair.Chosen));
    }

    [Fact]
    public void The_preflight_counts_and_shows()
    {
        var tally = new RowTally { Read = 2 };
        ConversationRow[] talks = [Talk("q", "aa"), Talk("q", "bbb") with { Origin = new("g.jsonl", 1, "json") }];
        var rows = TrainingRows.OfConversations(talks, FakeTemplate.Render, 99, OverlongRows.Error, tally);
        var report = Preflight.OfConversations(rows, tally, Encoder, Ends);
        Assert.Equal((2, rows.Sum(r => r.Ids.Length), 7L), (report.Rows, (int)report.Tokens, report.TrainedTokens));
        Assert.Equal([("json", 4L), ("qa", 3L)], report.Kinds.Select(k => (k.Kind, k.TrainedTokens)));
        var sample = report.Samples[0];
        Assert.Equal(Text(rows[0]), string.Concat(sample.Tokens.Select(t => t.Text)));
        Assert.Equal("aa<|im_end|>", string.Concat(sample.Tokens.Where(t => t.Trained).Select(t => t.Text)));
    }

    [Fact]
    public void Pairs_lie_in_a_batch_chosen_first()
    {
        var pairs = TrainingRows.OfPreferences([Pair("q", "a", "bb"), Pair("r", "ccc", "d")], FakeTemplate.Render, 99, OverlongRows.Error, new());
        var batch = Batches.OfPairs(pairs, [1, 0]);
        Assert.Equal(4, batch.Rows);
        Assert.Equal(pairs[1].Chosen.Ids, batch.Ids[batch.Starts[0]..batch.Starts[1]]);
        Assert.Equal(pairs[0].Rejected.Ids, batch.Ids[batch.Starts[3]..batch.Starts[4]]);
        Assert.Equal(11, batch.Targets.Count(t => t != RaggedBatch.Ignore));
    }
}
