using System.Text.Json;
using System.Text.Json.Nodes;
using Attune.App.Runs;
using Attune.Core.Tokens;
using Attune.Core.Versions;
using Attune.Prompts;

namespace Attune.App.Templates;

/// <summary>
/// What <c>attune template</c> looks at: a version, a model folder, a GGUF file, a file with a template, or a built-in contract.
/// With a tokenizer it is a whole contract; without one a template and the names of its special tokens.
/// </summary>
internal sealed record PromptSubject
{
    /// <summary>What the user called it.</summary>
    public required string Name { get; init; }

    public required ChatTemplate Template { get; init; }

    public required IReadOnlyDictionary<string, string> SpecialTokens { get; init; }

    public Tokenizer? Tokenizer { get; init; }

    public PromptContract? Contract { get; init; }

    public ModelFiles? Files { get; init; }

    public ModelVersion? Version { get; init; }

    /// <summary>Contract and tokenizer, for verbs that need ids.</summary>
    /// <exception cref="PromptException">ATT1302: there is no tokenizer.</exception>
    public (PromptContract Contract, Tokenizer Tokenizer) Whole() => Contract is not null && Tokenizer is not null ? (Contract, Tokenizer)
        : throw new PromptException("ATT1302", $"{Name} is a template without a tokenizer, and a contract holds token ids.")
        {
            Field = "tokenizer",
            Hint = "Give a version or a model folder, or say whose tokenizer it is for: --tokenizer.",
        };

    /// <summary>Opens what a user names.</summary>
    /// <param name="reference">A version, a folder, a file or a built-in name.</param>
    /// <param name="store">Folder of the versions.</param>
    /// <param name="tokenizer">A tokenizer to use instead: a tokenizer.json, a model folder or a version; null for the subject's own.</param>
    /// <exception cref="AttuneException">There is no such thing, or it cannot be read.</exception>
    public static PromptSubject Open(string reference, string store, string? tokenizer)
    {
        var given = tokenizer is null ? null : LoadTokenizer(tokenizer, store);
        if (File.Exists(reference))
            return OfFile(reference, given);
        if (!Directory.Exists(reference) && BuiltInContracts.All.ContainsKey(reference))
            return BuiltIn(reference, given);
        if (!Directory.Exists(reference) && !Directory.Exists(store))
            throw Running.NoContract(reference);
        var (files, version) = Running.Open(store, reference);
        given ??= files.Find(ModelFiles.Tokenizer) is { } path ? Tokenizer.Load(path) : null;
        if (given is null)
            return OfTexts(reference, Text(files, ModelFiles.TokenizerConfig), Text(files, ModelFiles.ChatTemplate), null) with { Files = files };
        return OfContract(reference, ModelContract.Of(files, given, allowMismatch: tokenizer is not null), given) with { Files = files, Version = version };
    }

    private static PromptSubject OfFile(string path, Tokenizer? given)
    {
        if (Path.GetExtension(path).Equals(".gguf", StringComparison.OrdinalIgnoreCase))
            return GgufPrompt.Open(path, given);
        given ??= Beside(path, ModelFiles.Tokenizer) is { } own ? Tokenizer.Load(own) : null;
        var text = ReadText(path);
        if (!Path.GetExtension(path).Equals(".json", StringComparison.OrdinalIgnoreCase))
            return OfTexts(path, Beside(path, ModelFiles.TokenizerConfig) is { } config ? ReadText(config) : null, text, given);
        if (!ModelContract.IsContract(text))
            return OfTexts(path, text, null, given);
        var contract = ModelContract.Read(path);
        if (given is null)
            return new PromptSubject { Name = path, Template = contract.Template, SpecialTokens = contract.SpecialTokens };
        return OfContract(path, contract.TokenizerDigest == given.Digest ? contract : contract.For(given), given);
    }

    private static PromptSubject BuiltIn(string name, Tokenizer? given)
    {
        if (given is not null)
            return OfContract(name, BuiltInContracts.ByName(name, given), given);
        // Its template can be read without a tokenizer; ids it has none.
        var contract = BuiltInContracts.ByName(name, NamesOnly.Instance);
        return new PromptSubject { Name = name, Template = contract.Template, SpecialTokens = contract.SpecialTokens };
    }

    /// <summary>A template with the names of its special tokens, as Hugging Face's files hold them.</summary>
    internal static PromptSubject OfTexts(string name, string? tokenizerConfig, string? template, Tokenizer? tokenizer)
    {
        try
        {
            var contract = PromptContract.FromFiles(tokenizerConfig, template, (ITokenEncoder?)tokenizer ?? NamesOnly.Instance);
            if (contract.Name == "base")
            {
                throw new PromptException("ATT1303", "There is no chat template in it.")
                {
                    Hint = "A template stands in chat_template.jinja, or under chat_template in tokenizer_config.json.",
                };
            }
            return tokenizer is null
                ? new PromptSubject { Name = name, Template = contract.Template, SpecialTokens = contract.SpecialTokens }
                : OfContract(name, contract, tokenizer);
        }
        catch (TemplateException e)
        {
            throw e.In(name);
        }
        catch (PromptException e) when (e.File is null or ModelFiles.TokenizerConfig)
        {
            throw new PromptException(e.Code, e.Message, e) { File = name, Field = e.Field, Hint = e.Hint };
        }
    }

    private static PromptSubject OfContract(string name, PromptContract contract, Tokenizer tokenizer) => new()
    {
        Name = name,
        Template = contract.Template,
        SpecialTokens = contract.SpecialTokens,
        Contract = contract,
        Tokenizer = tokenizer,
    };

    private static Tokenizer LoadTokenizer(string reference, string store) =>
        Tokenizer.Load(File.Exists(reference) ? reference : Running.Open(store, reference).Files.Require(ModelFiles.Tokenizer));

    private static string? Beside(string path, string name) =>
        Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, name) is var beside && File.Exists(beside) ? beside : null;

    private static string? Text(ModelFiles files, string name) => files.Find(name) is { } path ? ReadText(path) : null;

    private static string ReadText(string path)
    {
        try
        {
            return new System.Text.UTF8Encoding(false, throwOnInvalidBytes: true).GetString(File.ReadAllBytes(path)).TrimStart('\ufeff');
        }
        catch (System.Text.DecoderFallbackException e)
        {
            throw new PromptException("ATT1303", "The file is not UTF-8 text: " + e.Message, e) { File = path, Hint = "Save it again as UTF-8." };
        }
    }

    /// <summary>An encoder that has every token by name and no ids: enough to read a template and its tokens.</summary>
    private sealed class NamesOnly : ITokenEncoder
    {
        public static NamesOnly Instance { get; } = new();

        public string Digest => "";

        public int VocabularySize => 0;

        public IReadOnlyDictionary<string, int> AddedTokens { get; } = new[] { "<s>", "</s>", "<bos>", "<eos>", "<|endoftext|>", "<|begin_of_text|>", "<|im_start|>", "<|im_end|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<start_of_turn>", "<end_of_turn>" }
            .Select((text, id) => (text, id)).ToDictionary(t => t.text, t => t.id, StringComparer.Ordinal);

        public void Encode(string text, IReadOnlyList<TextSpan> untrusted, List<EncodedToken> output)
        {
        }

        public string Decode(ReadOnlySpan<int> ids, bool skipSpecialTokens = false) => "";
    }
}
