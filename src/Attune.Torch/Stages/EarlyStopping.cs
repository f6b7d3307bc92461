namespace Attune.Torch.Stages;

/// <summary>Validation as a function from one run state to the next.</summary>
public static class EarlyStopping
{
    /// <summary>Takes in a validation loss: a new best, or one more that was not.</summary>
    /// <param name="state">Before.</param>
    /// <param name="loss">Just measured.</param>
    /// <param name="patience">Validations without a new best that end the run; 0 never ends it.</param>
    public static RunState Observe(this RunState state, double loss, int patience)
    {
        var better = state.Best is not { } best || loss < best;
        var worse = better ? 0 : state.Worse + 1;
        return state with
        {
            Validation = loss,
            ValidationStep = state.Step,
            Best = better ? loss : state.Best,
            BestStep = better ? state.Step : state.BestStep,
            Worse = worse,
            Stopped = patience > 0 && worse >= patience,
        };
    }
}
