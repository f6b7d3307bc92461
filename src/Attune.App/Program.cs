using System.CommandLine;
using Attune.App.Cli;
using Attune.App.Commands;

var root = new RootCommand("Attune: the whole life of a language model, from raw text to a Chat version.")
{
    QuickstartCommand.Create(),
    TrainCommands.Pretrain(),
    TrainCommands.Sft(),
    TrainCommands.Dpo(),
    GenerateCommand.Create(),
    ChatCommand.Create(),
    CompareCommand.Create(),
    EvalCommand.Create(),
    DataCommand.Create(),
    VersionsCommand.Create(),
    ImportCommand.Create(),
    VersionsCommand.Export(),
    TestCommand.Create(),
};
return await CommandLine.RunAsync(root, args);
