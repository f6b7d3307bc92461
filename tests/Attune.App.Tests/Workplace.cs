using System.Globalization;
using System.Text;

namespace Attune.App.Tests;

/// <summary>A temporary folder to run commands in, with small data of each kind.</summary>
internal sealed class Workplace : IDisposable
{
    public Workplace()
    {
        var (text, talks, pairs) = (new StringBuilder(), new StringBuilder(), new StringBuilder());
        string[] people = ["Ada", "Bela", "Cyra", "Dara", "Ezra", "Fay"], towns = ["Oslo", "Lima", "Kyiv", "Bern", "Doha", "Riga"];
        for (var i = 0; i < 120; i++)
        {
            var (person, town, other) = (people[i % 6], towns[i * 5 % 6], towns[(i * 5 + 1) % 6]);
            text.Append(CultureInfo.InvariantCulture, $"{{\"text\": \"{person} lives in {town}. In {town}, {person} has house {i}.\"}}\n");
            talks.Append(CultureInfo.InvariantCulture, $"{{\"messages\": [{{\"role\": \"user\", \"content\": \"Where is {person}, {i}?\"}}, {{\"role\": \"assistant\", \"content\": \"{person} is in {town}.\"}}]}}\n");
            pairs.Append(CultureInfo.InvariantCulture, $"{{\"prompt\": \"Where is {person}, {i}?\", \"chosen\": \"{person} is in {town}.\", \"rejected\": \"{other}\"}}\n");
        }
        Write("text.jsonl", text.ToString());
        Write("talks.jsonl", talks.ToString());
        Write("pairs.jsonl", pairs.ToString());
    }

    /// <summary>The working folder of the commands.</summary>
    public string Folder { get; } = Directory.CreateTempSubdirectory("attune-app-").FullName;

    /// <summary>The path of something in it.</summary>
    public string PathOf(params IEnumerable<string> parts) => Path.Combine([Folder, .. parts]);

    public void Write(string name, string content) => File.WriteAllText(PathOf(name), content);

    public void Write(string name, byte[] content) => File.WriteAllBytes(PathOf(name), content);

    /// <summary>Runs the command here.</summary>
    public Task<CommandResult> RunAsync(params IEnumerable<string> arguments) => AttuneCommand.RunAsync(Folder, arguments);

    public void Dispose() => Directory.Delete(Folder, recursive: true);
}
