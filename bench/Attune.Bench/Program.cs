// Each benchmark is one word: dotnet run -c Release --project bench/Attune.Bench -- tokens
using Attune.Bench;

return args switch
{
    ["train-speed", .. var rest] => TrainSpeed.Run(rest),
    ["align-speed", .. var rest] => AlignSpeed.Run(rest),
    ["decode-speed", .. var rest] => DecodeSpeed.Run(rest),
    ["tokens", .. var rest] => TokenizerBench.Run(rest),
    ["world", .. var rest] => WorldBench.Run(rest),
    ["templates", .. var rest] => TemplateBench.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: Attune.Bench train-speed [threads] | align-speed [threads] [sft] [dpo] [ppo] [--effort=1] | decode-speed [threads] | tokens [vocabulary …] | world [--language en|zh] [--seeds 3] [--items 2000] | templates [folder] [python]");
    return 2;
}
