using System.Text.Json;
using Attune.Testing;
using Attune.Torch.Optimisers;
using Xunit;

namespace Attune.Torch.Tests.Optimisers;

public sealed class ScheduleVectors
{
    [Fact]
    public void FollowTheReferenceAtEveryStep()
    {
        Assert.SkipWhen(SharedData.MaySkip, "no reference data");
        var cases = SharedData.Files("schedules*.json", "vectors", "parts").SelectMany(f => JsonDocument.Parse(File.ReadAllText(f)).RootElement.EnumerateArray()).ToArray();
        Assert.NotEmpty(cases);
        foreach (var c in cases)
        {
            var name = c.GetProperty("name").GetString()!;
            var (full, options) = (c.GetProperty("base").GetDouble(), c.GetProperty("options"));
            double? Option(string key) => options.TryGetProperty(key, out var value) ? value.GetDouble() : null;
            var plain = new Schedule(name, c.GetProperty("steps").GetInt64(), c.GetProperty("warmup").GetInt64());
            var schedule = plain with
            {
                Decay = (long)(Option("num_decay_steps") ?? 0),
                Cycles = Option("num_cycles") ?? (name == "cosine_with_restarts" ? 1 : plain.Cycles),
                Power = Option("power") ?? plain.Power,
                Floor = Option("min_lr_ratio") ?? Option("min_lr_rate") ?? Option("min_lr") / full
                    ?? (name == "polynomial" ? Option("lr_end") ?? 1e-7 : null) / full ?? 0,
            };
            var expected = c.GetProperty("lr").EnumerateArray().Select(v => v.GetDouble()).ToArray();
            for (var t = 0; t < expected.Length; t++)
                Assert.True(Math.Abs(full * schedule.At(t) - expected[t]) <= TrainingTolerances.Schedule,
                    FormattableString.Invariant($"{name}, warm-up {schedule.Warmup}, step {t}: {full * schedule.At(t)} is not {expected[t]}"));
        }
    }

    [Fact]
    public void AnUnknownScheduleNamesTheKnownOnes()
    {
        var error = Assert.Throws<TrainingException>(() => new Schedule("cosinus", 10).At(0));
        Assert.Equal("ATT5101", error.Code);
        Assert.Contains("cosine_with_restarts", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void TrapezoidRisesStaysAndFallsToItsFloor()
    {
        var schedule = new Schedule("trapezoid", 100, 10) { Decay = 50, Floor = 0.1 };
        Assert.True(schedule.At(0) > 0, "the first step moves");
        Assert.Equal(1, schedule.At(10));
        Assert.Equal(1, schedule.At(49));
        Assert.Equal(0.55, schedule.At(75), 12);
        Assert.Equal(0.1, schedule.At(100), 12);
    }
}
