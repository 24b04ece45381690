using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence;

/// <summary>What happens to a command when the internal stash is full.</summary>
public interface IStashOverflowStrategy;

/// <summary>The command goes to dead letters.</summary>
public class DiscardToDeadLetterStrategy : IStashOverflowStrategy
{
    /// <summary>The only one.</summary>
    public static DiscardToDeadLetterStrategy Instance { get; } = new();

    private DiscardToDeadLetterStrategy() { }
}

/// <summary>The actor fails with a <see cref="StashOverflowException"/>.</summary>
public class ThrowOverflowExceptionStrategy : IStashOverflowStrategy
{
    /// <summary>The only one.</summary>
    public static ThrowOverflowExceptionStrategy Instance { get; } = new();

    private ThrowOverflowExceptionStrategy() { }
}

/// <summary>The sender gets a fixed answer and the command is dropped.</summary>
public sealed class ReplyToStrategy(object response) : IStashOverflowStrategy
{
    /// <summary>What the sender gets.</summary>
    public object Response { get; } = response;
}

/// <summary>Makes a strategy from configuration.</summary>
public interface IStashOverflowStrategyConfigurator
{
    /// <summary>Makes a strategy; the configuration is the system's whole one. Called once for each system.</summary>
    IStashOverflowStrategy Create(Config config);
}

/// <summary>Configures <see cref="ThrowOverflowExceptionStrategy"/>.</summary>
public sealed class ThrowExceptionConfigurator : IStashOverflowStrategyConfigurator
{
    /// <inheritdoc/>
    public IStashOverflowStrategy Create(Config config) => ThrowOverflowExceptionStrategy.Instance;
}

/// <summary>Configures <see cref="DiscardToDeadLetterStrategy"/>.</summary>
public sealed class DiscardConfigurator : IStashOverflowStrategyConfigurator
{
    /// <inheritdoc/>
    public IStashOverflowStrategy Create(Config config) => DiscardToDeadLetterStrategy.Instance;
}
