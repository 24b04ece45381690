using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Scenarios.Steps;
using DmaTotals = Iommufd.Scenarios.Steps.DmaTotals;

namespace Iommufd.Scenarios.Runner;

internal sealed partial class ClientActor
{
    // Background DMA follows the client's own progress: an answered call sets some devices going again. A device that asked for more
    // at once would be always runnable: virtual time would stand still.
    private readonly Dictionary<string, BackgroundDma> _backgrounds = new(StringComparer.Ordinal);
    private readonly Dictionary<long, BackgroundDma> _bursts = [];
    private readonly Queue<BackgroundDma> _idle = new();

    // DMA of ours that may wait for a page that a parked branch would map: nobody waits for it to end before a check.
    private int _waitingForPages;

    private bool StartDma(Fiber fiber, DmaRequest request)
    {
        if (request.Background is not { } name)
        {
            _calls.Add(++_lastTag, fiber);
            _waitingForPages += request.Plan.PageRequests ? 1 : 0;
            Send(_lastTag, request.Plan);
            return false;
        }

        if (_backgrounds.ContainsKey(name))
        {
            _run.Metrics.AddFailure(Failure(fiber.Waiting!, $"no DMA '{name}' yet", "it runs already"));
            fiber.Waiting = null;
            return true;
        }

        fiber.Waiting = null;
        var background = new BackgroundDma(name, request.Plan);
        _backgrounds.Add(name, background);
        Burst(background);
        return true;
    }

    private bool StopDma(Fiber fiber, string name)
    {
        if (!_backgrounds.TryGetValue(name, out BackgroundDma? background))
        {
            fiber.Waiting = null;
            _run.Metrics.AddSkipped();
            return true;
        }

        background.StopFor = fiber;
        background.IsStopping = true;
        if (background.IsBusy)
        {
            return false;
        }

        _backgrounds.Remove(name);
        Complete(fiber, background.Totals);
        return true;
    }

    private void OnDmaDone(DmaDone done)
    {
        var totals = new DmaTotals(done.Report.Translations, done.Report.Faults, done.Report.Violations);
        NoteDma(done.Errno);
        if (_calls.Remove(done.Tag, out Fiber? fiber))
        {
            _waitingForPages -= DmaStep.IsWaiting(fiber.Waiting!) ? 1 : 0;
            _run.Metrics.AddDma(DmaStep.DeviceOf(fiber.Waiting!), totals);
            Answered(fiber, totals);
            KickBackgroundDma();
            return;
        }

        if (!_bursts.Remove(done.Tag, out BackgroundDma? background))
        {
            return;
        }

        _run.Metrics.AddDma(background.Plan.Device, totals);
        background.Totals = background.Totals.Plus(totals);
        background.IsBusy = false;
        if (!background.IsStopping)
        {
            _idle.Enqueue(background);
            return;
        }

        _backgrounds.Remove(background.Name);
        if (background.StopFor is { } waiting)
        {
            Answered(waiting, background.Totals);
        }
        else if (_backgrounds.Count == 0)
        {
            Close();
        }
    }

    private void KickBackgroundDma()
    {
        for (int i = Math.Min(_run.DmaKicks, _idle.Count); i > 0; i--)
        {
            BackgroundDma background = _idle.Dequeue();
            if (!background.IsStopping)
            {
                Burst(background);
            }
        }
    }

    private void Burst(BackgroundDma background)
    {
        background.IsBusy = true;
        _bursts.Add(++_lastTag, background);
        DmaPlan plan = background.Plan;
        ulong count = _run.DmaBlocks is { } most ? Math.Min(plan.Count, (ulong)most) : plan.Count;
        _run.Machine.Tell(RunOf(_lastTag, plan, background.Pattern, count), Self);
    }

    private void StopAllDma()
    {
        foreach (BackgroundDma background in _backgrounds.Values.OrderBy(b => b.Name, StringComparer.Ordinal).ToArray())
        {
            background.IsStopping = true;
            if (!background.IsBusy)
            {
                _backgrounds.Remove(background.Name);
            }
        }

        if (_backgrounds.Count == 0)
        {
            Close();
        }
    }

    private void Send(long tag, DmaPlan plan) => _run.Machine.Tell(RunOf(tag, plan, PatternOf(plan), plan.Count), Self);

    private static RunDma RunOf(long tag, DmaPlan plan, DmaPattern pattern, ulong count) =>
        new(tag, plan.Device, pattern, (long)count)
        {
            PageRequests = plan.PageRequests,
            RequestTimeout = plan.RequestTimeout,
        };

    private static DmaPattern PatternOf(DmaPlan plan) =>
        new(
            plan.Pattern switch
            {
                "ring" => DmaPatternKind.Ring,
                "streaming" => DmaPatternKind.Streaming,
                "scatter-gather" => DmaPatternKind.ScatterGather,
                _ => DmaPatternKind.Random,
            },
            plan.Range,
            (int)plan.Block,
            plan.WritePercent,
            plan.Pasid,
            plan.Data,
            plan.Fill
        );

    private sealed class BackgroundDma(string name, DmaPlan plan)
    {
        public string Name { get; } = name;

        public DmaPlan Plan { get; } = plan;

        public DmaPattern Pattern { get; } = PatternOf(plan);

        public DmaTotals Totals { get; set; } = DmaTotals.None;

        public bool IsBusy { get; set; }

        public bool IsStopping { get; set; }

        public Fiber? StopFor { get; set; }
    }
}
