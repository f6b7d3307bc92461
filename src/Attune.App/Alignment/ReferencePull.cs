namespace Attune.App.Alignment;

/// <summary>What holds a method to the version that it starts from: DPO's beta, PPO's KL coefficient.</summary>
/// <param name="Option">The stage's option.</param>
/// <param name="Usual">Its value where nothing is swept: the method's published default.</param>
/// <param name="Swept">What is tried on a share of the data.</param>
internal sealed record ReferencePull(string Option, double Usual, IReadOnlyList<double> Swept)
{
    /// <summary>That of a stage; null for those that have no reference.</summary>
    public static ReferencePull? Of(string stage) => stage switch
    {
        "dpo" or "kto" or "orpo" => new("beta", 0.1, [0.05, 0.1, 0.3]),
        // GRPO's current forms let go of the reference; a little of it steadies small models.
        "grpo" => new("beta", 0, [0, 0.01, 0.04]),
        "rloo" => new("beta", 0.05, [0.02, 0.05, 0.2]),
        "ppo" => new("kl_coefficient", 0.05, [0.02, 0.05, 0.2]),
        _ => null,
    };
}
