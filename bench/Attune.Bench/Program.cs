// Each benchmark is one word: ./attune bench tokens
using Attune.Bench;

return args switch
{
    ["train-speed", .. var rest] => TrainSpeed.Run(rest),
    ["align-speed", .. var rest] => AlignSpeed.Run(rest),
    ["decode-speed", .. var rest] => DecodeSpeed.Run(rest),
    ["load", .. var rest] => LoadBench.Run(rest),
    ["tokens", .. var rest] => TokenizerBench.Run(rest),
    ["train-tokenizer", .. var rest] => TokenizerTraining.Run(rest),
    ["world", .. var rest] => WorldBench.Run(rest),
    ["templates", .. var rest] => TemplateBench.Run(rest),
    ["template-effect", .. var rest] => TemplateEffect.Run(rest),
    ["template-fuzz", .. var rest] => TemplateFuzzBench.Run(rest),
    ["file-fuzz", .. var rest] => FileFuzz.Run(rest),
    ["lora", .. var rest] => LoraSpeed.Run(rest),
    ["memory-options", .. var rest] => MemoryOptions.Run(rest),
    ["big", .. var rest] => BigModel.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("""
        usage: ./attune bench …
          train-speed [threads]                                        training against this machine's matmul ceiling
          align-speed [threads] [sft] [dpo] [ppo] [--effort=1]         alignment against a padded baseline
          decode-speed [threads]                                       decoding against memory bandwidth and the ceiling
          tokens [vocabulary …]                                        tokenizers against Microsoft.ML.Tokenizers and zlib
          train-tokenizer [megabytes]                                  tokenizer training: speed and memory
          world [--language en|zh] [--seeds 3] [--items 2000] [--parallel 1]   the quickstart over seeds
          templates [folder] [python]                                  templates against python3-jinja2
          template-effect --stores FOLDER… [--items 200]               what a wrong template costs
          template-fuzz [--count N] [--start N] [--seed N]             mutated templates
          file-fuzz [--count 1000000] [--first 0] [--seed 1]           mutated model files
          lora [width …]                                               adapters against full fine-tuning
          load [layers]                                                opening and loading: memory against the file
          memory-options                                               recompute and rows of logits: time against memory
          big                                                          a 1.1 B model: predicted and measured memory
        """);
    return 2;
}
