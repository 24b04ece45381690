namespace Akka.Actor
{
    /// <summary>What the runtime's exceptions have in common.</summary>
    public abstract class AkkaException : Exception
    {
        protected AkkaException() { }

        protected AkkaException(string message, Exception cause = null)
            : base(message, cause) { }

        protected Exception Cause => InnerException;
    }

    /// <summary>A name that no actor may have, or that another one has.</summary>
    public class InvalidActorNameException : AkkaException
    {
        public InvalidActorNameException(string message)
            : base(message) { }

        public InvalidActorNameException(string message, Exception innerException)
            : base(message, innerException) { }
    }

    /// <summary>No answer came in time.</summary>
    public class AskTimeoutException(string message) : AkkaException(message);

    /// <summary>An actor could not be made.</summary>
    public class ActorInitializationException : AkkaException
    {
        public ActorInitializationException() { }

        public ActorInitializationException(string message)
            : base(message) { }

        public ActorInitializationException(string message, Exception cause)
            : base(message, cause) { }

        public ActorInitializationException(IActorRef actor, string message, Exception cause = null)
            : base(message, cause)
        {
            Actor = actor;
        }

        public IActorRef Actor { get; set; }

        public override string ToString() => Actor is null ? base.ToString() : $"{Actor}: {base.ToString()}";
    }

    /// <summary>An actor was sent Kill.</summary>
    public class ActorKilledException : AkkaException
    {
        public ActorKilledException() { }

        public ActorKilledException(string message)
            : base(message) { }
    }

    /// <summary>Something that an actor may not do in its present state.</summary>
    public class IllegalActorStateException(string message) : AkkaException(message);

    /// <summary>A name that is not allowed.</summary>
    public class IllegalActorNameException(string message) : AkkaException(message);

    /// <summary>An actor that was watched died and nobody handled it.</summary>
    public class DeathPactException(IActorRef deadActor)
        : AkkaException("Monitored actor [" + deadActor + "] terminated")
    {
        public IActorRef DeadActor { get; } = deadActor;
    }

    /// <summary>PreRestart failed.</summary>
    public class PreRestartException(
        IActorRef actor,
        Exception restartException,
        Exception cause,
        object optionalMessage
    )
        : ActorInitializationException(
            actor,
            "Exception in PreRestart(" + cause?.GetType().Name + ", " + (optionalMessage ?? "null") + ")",
            restartException
        )
    {
        public Exception RestartException { get; } = restartException;
        public object OptionalMessage { get; } = optionalMessage;
    }

    /// <summary>The new instance, or its PostRestart, failed.</summary>
    public class PostRestartException(IActorRef actor, Exception cause, Exception originalCause)
        : ActorInitializationException(
            actor,
            "Exception post restart (" + (originalCause?.GetType().Name ?? "null") + ")",
            cause
        )
    {
        public Exception OriginalCause { get; } = originalCause;
    }

    /// <summary>A selection found no actor.</summary>
    public class ActorNotFoundException : AkkaException
    {
        public ActorNotFoundException() { }

        public ActorNotFoundException(string message, Exception innerException = null)
            : base(message, innerException) { }
    }

    /// <summary>A message that cannot be one, such as null.</summary>
    public class InvalidMessageException : AkkaException
    {
        public InvalidMessageException()
            : this("Message is null") { }

        public InvalidMessageException(string message)
            : base(message) { }
    }

    /// <summary>A stash is full.</summary>
    public class StashOverflowException : AkkaException
    {
        public StashOverflowException(string message, Exception cause = null)
            : base(message, cause) { }
    }

    /// <summary>A scheduler was asked for something it cannot do.</summary>
    public sealed class SchedulerException(string message) : AkkaException(message);
}

namespace Akka.Pattern
{
    /// <summary>Something that may not happen in the present state.</summary>
    public class IllegalStateException : Akka.Actor.AkkaException
    {
        public IllegalStateException(string message)
            : base(message) { }

        public IllegalStateException(string message, Exception innerEx)
            : base(message, innerEx) { }
    }
}

namespace Akka.Configuration
{
    /// <summary>A configuration that cannot be used.</summary>
    public class ConfigurationException : Akka.Actor.AkkaException
    {
        public ConfigurationException(string message)
            : base(message) { }

        public ConfigurationException(string message, Exception exception)
            : base(message, exception) { }

        public static ConfigurationException NullOrEmptyConfig<T>(string path = null) =>
            new(
                string.IsNullOrWhiteSpace(path)
                    ? $"Failed to instantiate {typeof(T).Name}: Configuration is null or empty."
                    : $"Failed to instantiate {typeof(T).Name}: Configuration does not contain `{path}` node"
            );
    }
}
