// What the run itself writes into its journal, and how one that was killed goes on.
using System.Globalization;
using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Messages.Events;

namespace Iommufd.Scenarios.Runner;

internal sealed partial class RunActor
{
    private readonly Dictionary<(IActorRef Client, string Meeting), int> _arrivals = [];
    private int _interrupted;
    private RunEnd? _end;

    private UnfinishedRun? Unfinished => _settings.Journal?.Unfinished;

    private void Begin()
    {
        if (_settings.Journal is not { } journal)
        {
            BuildMachine();
        }
        else if (Unfinished is { } unfinished)
        {
            // Killed while it stopped: it goes on stopping.
            _stopReason = unfinished.Run.StopReason;
            int[] closed = [.. unfinished.Interrupted.Select(c => c.Number)];
            Record(new RunContinued(journal.Started.Product, closed), wantsReply: true);
        }
        else
        {
            Record(journal.Started, wantsReply: true);
        }
    }

    private void OnRecorded(RunRecorded recorded)
    {
        _settings.Metrics.AddProgress();
        switch (recorded.Event)
        {
            case RunContinued:
                CloseInterrupted();
                break;
            case RunStarted:
                BuildMachine();
                break;
            case RunFinished:
                _ended(_end!);
                Context.Stop(Self);
                break;
        }
    }

    private void CloseInterrupted()
    {
        _interrupted = Unfinished!.Interrupted.Count;
        foreach (InterruptedContext context in Unfinished.Interrupted)
        {
            Context.ActorOf(InterruptedContextActor.Props(context, _settings.Journal!.Failed));
        }

        BuildIfAllClosed();
    }

    private void OnInterruptedClosed()
    {
        _settings.Metrics.AddProgress();
        _interrupted--;
        BuildIfAllClosed();
    }

    private void BuildIfAllClosed()
    {
        if (_interrupted == 0)
        {
            BuildMachine();
        }
    }

    private void Finish(RunEnd end)
    {
        _end = end;
        if (_settings.Journal is null)
        {
            _ended(end);
            Context.Stop(Self);
            return;
        }

        ulong digest = ulong.Parse(end.Digest, NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        Record(new RunFinished(digest, end.Leaked, end.StopReason ?? string.Empty), wantsReply: true);
    }

    private void Record(RunEvent change, bool wantsReply = false) =>
        _settings.Journal?.Journal.Tell(new RecordRun(change, wantsReply), Self);

    // A barrier that had opened before the kill lets those through that come again: the others will not.
    private bool HasOpenedBefore(AtBarrier arrival)
    {
        if (Unfinished is not { } unfinished)
        {
            return false;
        }

        int arrivals = _arrivals.GetValueOrDefault((Sender, arrival.Meeting)) + 1;
        _arrivals[(Sender, arrival.Meeting)] = arrivals;
        return arrivals <= unfinished.Run.OpenedBarriers.GetValueOrDefault(arrival.Meeting);
    }
}

/// <summary>Where a run writes its own events.</summary>
/// <param name="Journal">The writer of the run's stream.</param>
/// <param name="Started">The first event.</param>
/// <param name="Unfinished">What a run that was killed left; null for one that begins.</param>
/// <param name="Failed">Told when a stream cannot be written.</param>
internal sealed record RunJournaling(
    IActorRef Journal,
    RunStarted Started,
    UnfinishedRun? Unfinished,
    Action<JournalFailure>? Failed
);
