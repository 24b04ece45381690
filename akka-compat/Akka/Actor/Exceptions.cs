namespace Akka.Actor
{
    /// <summary>What the runtime's exceptions have in common.</summary>
    public abstract class AkkaException : Exception
    {
        /// <summary>Without a message of its own.</summary>
        protected AkkaException() { }

        /// <summary>A failure that may have a cause, which becomes the inner exception.</summary>
        protected AkkaException(string message, Exception cause = null)
            : base(message, cause) { }

        /// <summary>The inner exception.</summary>
        protected Exception Cause => InnerException;
    }

    /// <summary>A name that no actor may have, or that another one has.</summary>
    public class InvalidActorNameException : AkkaException
    {
        /// <summary>The message says which name and why.</summary>
        public InvalidActorNameException(string message)
            : base(message) { }

        /// <summary>The message says which name and why.</summary>
        public InvalidActorNameException(string message, Exception innerException)
            : base(message, innerException) { }
    }

    /// <summary>No answer came in time.</summary>
    public class AskTimeoutException(string message) : AkkaException(message);

    /// <summary>An actor could not be made.</summary>
    public class ActorInitializationException : AkkaException
    {
        /// <summary>Without a message of its own.</summary>
        public ActorInitializationException() { }

        /// <summary>A message that names the actor.</summary>
        public ActorInitializationException(string message)
            : base(message) { }

        /// <summary>A message that names the actor.</summary>
        public ActorInitializationException(string message, Exception cause)
            : base(message, cause) { }

        /// <summary>Keeps the actor, which may be null when there is none yet.</summary>
        public ActorInitializationException(IActorRef actor, string message, Exception cause = null)
            : base(message, cause)
        {
            Actor = actor;
        }

        /// <summary>Who could not be made, restarted or started; null when it is not known.</summary>
        public IActorRef Actor { get; set; }

        /// <inheritdoc/>
        public override string ToString() => Actor is null ? base.ToString() : $"{Actor}: {base.ToString()}";
    }

    /// <summary>An actor was sent Kill.</summary>
    public class ActorKilledException : AkkaException
    {
        /// <summary>Without a message of its own.</summary>
        public ActorKilledException() { }

        /// <summary>The message is the one that the log shows.</summary>
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
        /// <summary>Whose death was not handled.</summary>
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
        /// <summary>What PreRestart threw; the inner exception too.</summary>
        public Exception RestartException { get; } = restartException;

        /// <summary>The message at which the actor had failed before; null outside of messages.</summary>
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
        /// <summary>The failure for which the actor was to be restarted.</summary>
        public Exception OriginalCause { get; } = originalCause;
    }

    /// <summary>A selection found no actor.</summary>
    public class ActorNotFoundException : AkkaException
    {
        /// <summary>The message says what was looked for.</summary>
        public ActorNotFoundException() { }

        /// <summary>The message says what was looked for.</summary>
        public ActorNotFoundException(string message, Exception innerException = null)
            : base(message, innerException) { }
    }

    /// <summary>A message that cannot be one, such as null.</summary>
    public class InvalidMessageException : AkkaException
    {
        /// <summary>For null as a message.</summary>
        public InvalidMessageException()
            : this("Message is null") { }

        /// <summary>The message says why it is not one.</summary>
        public InvalidMessageException(string message)
            : base(message) { }
    }

    /// <summary>A stash is full.</summary>
    public class StashOverflowException : AkkaException
    {
        /// <summary>The message names what could not be stashed.</summary>
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
        /// <summary>The message says what is wrong.</summary>
        public IllegalStateException(string message)
            : base(message) { }

        /// <summary>The message says what is wrong.</summary>
        public IllegalStateException(string message, Exception innerEx)
            : base(message, innerEx) { }
    }
}

namespace Akka.Configuration
{
    /// <summary>A configuration that cannot be used.</summary>
    public class ConfigurationException : Akka.Actor.AkkaException
    {
        /// <summary>The message says what is wrong.</summary>
        public ConfigurationException(string message)
            : base(message) { }

        /// <summary>The message says what is wrong.</summary>
        public ConfigurationException(string message, Exception exception)
            : base(message, exception) { }

        /// <summary>
        /// What to throw when a section is missing; T is what was to be made from it, the path where it should have
        /// been.
        /// </summary>
        public static ConfigurationException NullOrEmptyConfig<T>(string path = null) =>
            new(
                string.IsNullOrWhiteSpace(path)
                    ? $"Failed to instantiate {typeof(T).Name}: Configuration is null or empty."
                    : $"Failed to instantiate {typeof(T).Name}: Configuration does not contain `{path}` node"
            );
    }
}
