using System.Globalization;
using Iommufd.Cli.Output;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Cli.Commands;

/// <summary>Which part of a soak a process runs: what <c>--shard</c> says, completed by what an engine for many machines says.</summary>
public static class ShardOption
{
    /// <summary>The part.</summary>
    /// <param name="text">What <c>--shard</c> says: I/N, or /N where the engine knows I; null for nothing.</param>
    /// <param name="environment">Environment variables; null for one that is not set.</param>
    /// <exception cref="BadInputException">There is no such part.</exception>
    public static SoakShard Of(string? text, Func<string, string?> environment)
    {
        if (text is null)
        {
            // An array task knows how many there are, an Indexed Job's pod does not.
            return SlurmIndex(environment) is { } index && Number(environment, "SLURM_ARRAY_TASK_COUNT") is { } count
                ? Checked($"{index}/{count}")
                : SoakShard.Whole;
        }

        if (!text.StartsWith('/'))
        {
            return Checked(text);
        }

        long own =
            SlurmIndex(environment)
            ?? Number(environment, "JOB_COMPLETION_INDEX")
            ?? throw new BadInputException(
                "--shard",
                $"'{text}' leaves the number of the part to SLURM_ARRAY_TASK_ID or JOB_COMPLETION_INDEX, and neither is set"
            );
        return Checked(string.Create(CultureInfo.InvariantCulture, $"{own}{text}"));
    }

    // Arrays may begin at any number; parts begin at 0.
    private static long? SlurmIndex(Func<string, string?> environment) =>
        Number(environment, "SLURM_ARRAY_TASK_ID") - (Number(environment, "SLURM_ARRAY_TASK_MIN") ?? 0);

    private static long? Number(Func<string, string?> environment, string name)
    {
        if (environment(name) is not { Length: > 0 } text)
        {
            return null;
        }

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw new BadInputException(name, $"'{text}' is not a number");
    }

    private static SoakShard Checked(string text) =>
        SoakShard.TryParse(text, out SoakShard shard)
            ? shard
            : throw new BadInputException("--shard", $"'{text}' is not a part I/N with I from 0 to N - 1");
}
