using System.CommandLine;
using Attune.App.Cli;
using Attune.App.Commands;

var root = new RootCommand("Attune: the whole life of a language model, from raw text to a Chat version.")
{
    QuickstartCommand.Create(),
    TrainCommands.Pretrain(),
    TrainCommands.Sft(),
    TrainCommands.Reward(),
    TrainCommands.Ppo(),
    TrainCommands.Grpo(),
    TrainCommands.Rloo(),
    TrainCommands.Dpo(),
    TrainCommands.Kto(),
    TrainCommands.Orpo(),
    TrainCommands.Simpo(),
    MergeCommand.Create(),
    EstimateCommand.Create(),
    GenerateCommand.Create(),
    ChatCommand.Create(),
    CompareCommand.Create(),
    CompareAlignmentCommand.Create(),
    AlignCommand.Create(),
    RankCommand.Create(),
    EvalCommand.Create(),
    DataCommand.Create(),
    TemplateCommand.Create(),
    VersionsCommand.Create(),
    ImportCommand.Create(),
    VersionsCommand.Export(),
    TestCommand.Create(),
};
return await CommandLine.RunAsync(root, args);
