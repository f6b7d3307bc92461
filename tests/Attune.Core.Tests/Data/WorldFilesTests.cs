using Attune.Core.Data;
using Attune.Core.Worlds;
using Xunit;

namespace Attune.Core.Tests.Data;

public class WorldFilesTests
{
    [Fact]
    public void The_files_of_a_world_are_read_without_a_fault()
    {
        var folder = Directory.CreateTempSubdirectory("attune-world-").FullName;
        try
        {
            var world = World.Create(new WorldOptions { People = 64, RankingRows = 10, PretrainTokens = 30_000, InstructRows = 60, ChatRows = 40, PreferenceRows = 40, ValidRows = 20 });
            foreach (var file in WorldExport.Write(world, folder).Where(f => Path.GetDirectoryName(f.Path) == folder))
            {
                var rows = DataReader.Read(file.Path).ToList();
                Assert.Equal(file.Rows, rows.Count);
                Assert.Equal(file.Kinds, rows.GroupBy(r => r.Origin.Kind!).ToDictionary(g => g.Key, g => g.Count()));
                var expected = Path.GetFileName(file.Path).Split('.')[0] switch
                {
                    "pretrain" or "tokenizer" or "known" => typeof(TextRow),
                    "preference" => typeof(Attune.Core.Data.PreferenceRow),
                    "rankings" => typeof(Attune.Core.Data.RankingRow),
                    _ => typeof(Attune.Core.Data.ConversationRow),
                };
                Assert.All(rows, r => Assert.IsType(expected, r));
            }
            // Questions are prompts with their answers, to be answered as a chat model is asked.
            foreach (var questions in Directory.EnumerateFiles(Path.Combine(folder, "questions")).Take(12))
                Assert.All(DataReader.ReadPrompts(questions), p => Assert.True(p.Answer?.Length > 0 && p.Prompt.Messages[^1].Role == "user"));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
