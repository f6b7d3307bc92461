using Attune.Torch.Kernels;
using Attune.Torch.Optimisers;
using TorchSharp;
using static TorchSharp.torch;

namespace Attune.Torch.Stages;

/// <summary>How an update is applied.</summary>
/// <param name="Step">Counted from one.</param>
/// <param name="Rate">The learning rate of this step.</param>
/// <param name="Clip">Largest gradient norm; 0 leaves it.</param>
public readonly record struct UpdateSettings(long Step, double Rate, double Clip);

/// <summary>What an update was.</summary>
/// <param name="Loss">The loss before it.</param>
/// <param name="GradientNorm">Norm of the gradient before clipping.</param>
public readonly record struct UpdateResult(double Loss, double GradientNorm);

/// <summary>One update from the gradients of several micro-batches: the arithmetic that all stages share.</summary>
public static class UpdateStep
{
    /// <summary>Adds up the gradients of all parts, clips them by their common norm, updates.</summary>
    /// <param name="optimiser">Holds the parameters; their gradients are zero before and after.</param>
    /// <param name="settings">Step, rate, clip.</param>
    /// <param name="parts">The loss of each micro-batch, made when its turn comes; the loss of the step is their sum.</param>
    /// <exception cref="TrainingException">ATT5120: loss or gradient is not finite. Nothing has been updated.</exception>
    public static UpdateResult Run(Optimiser optimiser, UpdateSettings settings, IEnumerable<Func<Tensor>> parts)
    {
        var loss = Gradients(parts);
        var norm = GradientNorm.Clip(optimiser.Parameters, settings.Clip);
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
            throw Diverged(settings, loss, norm);
        optimiser.Step(settings.Step, settings.Rate);
        optimiser.ZeroGradients();
        return new UpdateResult(loss, norm);
    }

    /// <summary>Adds the gradients of all parts to those that are there; returns the sum of the losses.</summary>
    public static double Gradients(IEnumerable<Func<Tensor>> parts)
    {
        var loss = 0.0;
        foreach (var part in parts)
        {
            using var scope = NewDisposeScope();
            var value = part();
            loss += value.ToDouble();
            value.backward();
            Handover.Clear();
        }
        return loss;
    }

    private static double ToDouble(this Tensor scalar) => scalar.detach().to_type(ScalarType.Float64).item<double>();

    private static TrainingException Diverged(UpdateSettings settings, double loss, double norm) => new("ATT5120",
        FormattableString.Invariant($"The run diverged at step {settings.Step}: loss {loss}, gradient norm {norm}, learning rate {settings.Rate:G4}."))
    {
        Field = "learning_rate",
        Hint = FormattableString.Invariant($"Try learning_rate {settings.Rate / 3:G2}, a longer warmup_share, or a smaller clip. The last checkpoint is as it was before; a changed rate needs --restart."),
    };
}
