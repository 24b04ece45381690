using Akka.Actor;

namespace Akka.Pattern;

/// <summary>When a child that came back counts as well again.</summary>
public interface IBackoffReset;

internal sealed class ManualReset : IBackoffReset;

internal sealed class AutoReset(TimeSpan resetBackoff) : IBackoffReset
{
    internal TimeSpan ResetBackoff => resetBackoff;
}

/// <summary>Starts a description of how to wait between restarts of a child.</summary>
public static class Backoff
{
    /// <summary>The child is restarted when it fails; when it stops by itself, so does its supervisor.</summary>
    public static BackoffOptions OnFailure(
        Props childProps,
        string childName,
        TimeSpan minBackoff,
        TimeSpan maxBackoff,
        double randomFactor,
        int maxNrOfRetries
    ) =>
        new BackoffOptionsImpl(
            childProps,
            childName,
            minBackoff,
            maxBackoff,
            randomFactor,
            onStop: false
        ).WithMaxNrOfRetries(maxNrOfRetries);

    /// <summary>The child is started again when it has stopped, for whatever reason.</summary>
    public static BackoffOptions OnStop(
        Props childProps,
        string childName,
        TimeSpan minBackoff,
        TimeSpan maxBackoff,
        double randomFactor,
        int maxNrOfRetries
    ) =>
        new BackoffOptionsImpl(
            childProps,
            childName,
            minBackoff,
            maxBackoff,
            randomFactor,
            onStop: true
        ).WithMaxNrOfRetries(maxNrOfRetries);
}

/// <summary>How to wait between restarts of a child. Immutable.</summary>
public abstract class BackoffOptions
{
    /// <summary>
    /// A copy in which the pauses start from the shortest again when the child has lived this long. The default, with
    /// the shortest pause.
    /// </summary>
    public abstract BackoffOptions WithAutoReset(TimeSpan resetBackoff);

    /// <summary>
    /// A copy in which the pauses start from the shortest again when the supervisor is told
    /// <see cref="BackoffSupervisor.Reset"/>.
    /// </summary>
    public abstract BackoffOptions WithManualReset();

    /// <summary>A copy with a strategy for the child's failures; its limit and decider count.</summary>
    public abstract BackoffOptions WithSupervisorStrategy(OneForOneStrategy supervisorStrategy);

    /// <summary>A copy in which each failure stops the child, so that it comes back after a pause.</summary>
    public abstract BackoffOptions WithDefaultStoppingStrategy();

    /// <summary>
    /// A copy that gives this answer to messages that come while there is no child; null makes them dead letters.
    /// </summary>
    public abstract BackoffOptions WithReplyWhileStopped(object replyWhileStopped);

    /// <summary>
    /// A copy that gives up, and stops, after so many new starts without a reset; negative never does.
    /// </summary>
    public abstract BackoffOptions WithMaxNrOfRetries(int maxNrOfRetries);

    /// <summary>
    /// A copy that passes a message of this kind on and lets the child's next end be the last. Only with
    /// <see cref="Backoff.OnStop"/>; otherwise making the props throws <see cref="InvalidOperationException"/>.
    /// </summary>
    public abstract BackoffOptions WithFinalStopMessage(Func<object, bool> isFinalStopMessage);
    internal abstract Props Props { get; }
}

internal sealed class BackoffOptionsImpl : BackoffOptions
{
    private readonly Props _childProps;
    private readonly string _childName;
    private readonly TimeSpan _min;
    private readonly TimeSpan _max;
    private readonly double _randomFactor;
    private readonly bool _onStop;
    private IBackoffReset _reset;
    private OneForOneStrategy _strategy = new(SupervisorStrategy.DefaultDecider);
    private object _reply;
    private Func<object, bool> _isFinal;

    internal BackoffOptionsImpl(
        Props childProps,
        string childName,
        TimeSpan min,
        TimeSpan max,
        double randomFactor,
        bool onStop
    )
    {
        _childProps = childProps;
        _childName = childName;
        _min = min;
        _max = max;
        _randomFactor = randomFactor;
        _onStop = onStop;
    }

    public override BackoffOptions WithAutoReset(TimeSpan resetBackoff) =>
        With(o => o._reset = new AutoReset(resetBackoff));

    public override BackoffOptions WithManualReset() => With(o => o._reset = new ManualReset());

    public override BackoffOptions WithSupervisorStrategy(OneForOneStrategy supervisorStrategy) =>
        With(o => o._strategy = supervisorStrategy);

    public override BackoffOptions WithDefaultStoppingStrategy() =>
        With(o =>
            o._strategy = new OneForOneStrategy(
                _strategy.MaxNumberOfRetries,
                -1,
                SupervisorStrategy.StoppingStrategy.Decider
            )
        );

    public override BackoffOptions WithReplyWhileStopped(object replyWhileStopped) =>
        With(o => o._reply = replyWhileStopped);

    public override BackoffOptions WithMaxNrOfRetries(int maxNrOfRetries) =>
        With(o => o._strategy = o._strategy.WithMaxNrOfRetries(maxNrOfRetries));

    public override BackoffOptions WithFinalStopMessage(Func<object, bool> isFinalStopMessage) =>
        With(o => o._isFinal = isFinalStopMessage);

    internal override Props Props
    {
        get
        {
            BackoffDelay.Validate(_min, _max, _randomFactor);
            var reset = _reset ?? new AutoReset(_min);
            if (_onStop)
                return Props.Create(() =>
                    new BackoffSupervisor(
                        _childProps,
                        _childName,
                        _min,
                        _max,
                        reset,
                        _randomFactor,
                        _strategy,
                        _reply,
                        _isFinal
                    )
                );
            if (_isFinal is not null)
                throw new InvalidOperationException("A final stop message only makes sense with Backoff.OnStop.");
            return Props.Create(() =>
                new BackoffOnRestartSupervisor(
                    _childProps,
                    _childName,
                    _min,
                    _max,
                    reset,
                    _randomFactor,
                    _strategy,
                    _reply
                )
            );
        }
    }

    private BackoffOptionsImpl With(Action<BackoffOptionsImpl> change)
    {
        var copy = (BackoffOptionsImpl)MemberwiseClone();
        change(copy);
        return copy;
    }
}
