using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors.Tests;

/// <summary>Counts steps, and strikes at one of them.</summary>
internal sealed class CrashHook : IStepHook
{
    private readonly Lock _lock = new();
    private int _count;
    private int _strikeAt;
    private int _times;
    private bool _after;
    private (ulong Flow, int Step) _struck;
    private Action<Participant>? _kill;

    public bool Fired { get; private set; }

    public bool Paused { get; set; }

    public void StartCounting() => Reset();

    public int StopCounting()
    {
        lock (_lock)
        {
            var counted = _count;
            Reset();
            return counted;
        }
    }

    public void Arm(int at, bool afterTheStep, int times)
    {
        lock (_lock)
        {
            Reset();
            (_strikeAt, _after, _times) = (at, afterTheStep, times);
        }
    }

    public void KillAt(int at, Action<Participant> kill)
    {
        lock (_lock)
        {
            Reset();
            (_strikeAt, _kill) = (at, kill);
        }
    }

    public void Disarm() => Reset();

    public void Before(Participant participant, FlowStep step)
    {
        lock (_lock)
        {
            if (Paused || step.Request is CheckState or CompareAreas or DescribeState)
            {
                return;
            }

            if (++_count != _strikeAt)
            {
                return;
            }

            // Steps of several participants run at the same time: the one to die is known by its name, not by the count.
            _struck = (step.Flow, step.Step);

            if (_kill is { } kill)
            {
                Fired = true;
                kill(participant);
            }
            else if (!_after && _times-- > 0)
            {
                Fired = true;
                throw new CrashException();
            }
        }
    }

    public void After(Participant participant, FlowStep step)
    {
        lock (_lock)
        {
            if (!Paused && _after && _struck == (step.Flow, step.Step) && _times-- > 0)
            {
                Fired = true;
                throw new CrashException();
            }
        }
    }

    private void Reset()
    {
        (_count, _strikeAt, _times, _after, _kill, Fired) = (0, 0, 0, false, null, false);
        _struck = default;
    }
}

internal sealed class CrashException : Exception
{
    public CrashException()
        : base("a crash that the test wants") { }
}
