using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Tests.Runner;

namespace Iommufd.Scenarios.Tests.Linearizability;

/// <summary>Runs whose branches get in each other's way on purpose: every answer has an order of the calls that explains it.</summary>
public sealed class HistoryRunTests
{
    private const string Quarrel = """
        iommufd: 1
        title: Branches that map, copy, unmap and pin the same few pages
        parameters:
          rounds: 40
          branches: 6
        machine:
          devices:
            - name: dev
        clients:
          - name: client
            steps:
              - memory: {as: ram, size: 64K}
              - ioas-alloc: a
              - ioas-alloc: b
              - bind: {device: dev, as: dev}
              - attach: {device: dev, to: a}
              - access: {as: mdev, ioas: a}
              - parallel:
                  count: branches
                  steps:
                    - repeat:
                        times: rounds
                        steps:
                          - let: {at: 4K * random(0..7), size: 4K * random(1..3)}
                          - choose:
                              - steps:
                                  - map: {ioas: a, memory: ram, length: size, iova: at}
                                    expect: any
                              - steps:
                                  - map: {ioas: b, memory: ram, length: size, as: here}
                                    expect: any
                              - steps:
                                  - copy: {from: a, source: at, length: 4K, to: b, iova: at}
                                    expect: any
                              - weight: 2
                                steps:
                                  - unmap: {ioas: a, iova: at, length: 4 * size}
                                    expect: any
                              - steps:
                                  - unmap: {ioas: b, iova: at, length: 4 * size}
                                    expect: any
                              - steps:
                                  - pin: {access: mdev, iova: at, length: 4K, write: true, as: pin}
                                    expect: any
                              - steps:
                                  - access-read: {access: mdev, iova: at, length: size}
                                    expect: any
        """;

    private const int Attempts = 5;

    [Fact]
    public void Every_answer_of_seeded_runs_has_an_order_that_explains_it()
    {
        for (ulong seed = 1; seed <= 25; seed++)
        {
            RunReport report = Running.Text(Quarrel, seed);

            Assert.True(report.InvariantsViolated == 0, $"seed {seed}: {report.FirstViolation?.What}");
            Assert.Equal(0, report.HistoriesGivenUp);
            Assert.True(report.HistoryAnswers > 200);
        }
    }

    [Fact]
    public void Every_answer_of_a_run_on_all_cores_has_an_order_that_explains_it()
    {
        // While a thread is off its core in the middle of a call, the others' calls pile up behind it: on a crowded machine a history
        // may become too long to be decided. No run may have a violation, and one of a few must be decided whole.
        for (int attempt = 1; ; attempt++)
        {
            RunReport report = Running.Text(Quarrel, seed: null, ("rounds", "400"));

            Assert.True(report.InvariantsViolated == 0, report.FirstViolation?.What);
            if (report.HistoriesGivenUp == 0)
            {
                Assert.True(report.HistoryAnswers > 2000);
                return;
            }

            Assert.True(
                attempt < Attempts,
                $"{report.HistoriesGivenUp} histories undecided in the last of {Attempts} runs"
            );
        }
    }
}
