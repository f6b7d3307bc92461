using Attune.Bench;

return args switch
{
    ["train-speed", .. var rest] => TrainSpeed.Run(rest),
    _ => Usage(),
};

static int Usage()
{
    Console.Error.WriteLine("usage: Attune.Bench train-speed [threads]");
    return 2;
}
