using Akka.Configuration;
using Akka.Routing;
using Akka.Util;

namespace Akka.Routing
{
    /// <summary>How a router spreads messages. Routers are not part of this runtime; the type exists for signatures.</summary>
    public abstract class RouterConfig : IEquatable<RouterConfig>
    {
        /// <summary>By reference, unless a derived configuration compares its values.</summary>
        public virtual bool Equals(RouterConfig other) => ReferenceEquals(this, other);

        /// <inheritdoc/>
        public override bool Equals(object obj) => Equals(obj as RouterConfig);

        /// <inheritdoc/>
        public override int GetHashCode() => GetType().Name.Length;
    }

    /// <summary>No router.</summary>
    public sealed class NoRouter : RouterConfig
    {
        /// <summary>The only one.</summary>
        public static readonly NoRouter Instance = new();

        private NoRouter() { }

        /// <inheritdoc/>
        public override bool Equals(RouterConfig other) => other is NoRouter;
    }
}

namespace Akka.Actor
{
    /// <summary>Where an actor runs and on which mailbox.</summary>
    public class Deploy : IEquatable<Deploy>, ISurrogated
    {
        /// <summary>Says nothing about the stash: the mailbox's configuration decides.</summary>
        public const int NoStashSize = -1;

        /// <summary>Null: says nothing about the dispatcher.</summary>
        public static readonly string NoDispatcherGiven = null;

        /// <summary>Null: says nothing about the mailbox.</summary>
        public static readonly string NoMailboxGiven = null;

        /// <summary>Null: says nothing about the scope.</summary>
        public static readonly Scope NoScopeGiven = null;

        /// <summary>
        /// Keeps an actor in this process, so that its arguments are never checked for serialization.
        /// </summary>
        public static readonly Deploy Local = new(LocalScope.Instance);

        /// <summary>Null: no deployment at all.</summary>
        public static readonly Deploy None = null;

        /// <summary>Says nothing: every part is left to the fallback or to the defaults.</summary>
        public Deploy()
            : this("", Config.Empty, NoRouter.Instance, NoScopeGiven, NoDispatcherGiven) { }

        /// <summary>Says only what is given; the rest is left to the fallback or to the defaults.</summary>
        public Deploy(string path, Scope scope)
            : this(path, Config.Empty, NoRouter.Instance, scope, NoDispatcherGiven) { }

        /// <summary>Says only what is given; the rest is left to the fallback or to the defaults.</summary>
        public Deploy(Scope scope)
            : this("", Config.Empty, NoRouter.Instance, scope, NoDispatcherGiven) { }

        /// <summary>Says only what is given; the rest is left to the fallback or to the defaults.</summary>
        public Deploy(RouterConfig routerConfig, Scope scope)
            : this("", Config.Empty, routerConfig, scope, NoDispatcherGiven) { }

        /// <summary>Says only what is given; the rest is left to the fallback or to the defaults.</summary>
        public Deploy(RouterConfig routerConfig)
            : this("", Config.Empty, routerConfig, NoScopeGiven, NoDispatcherGiven) { }

        /// <summary>Says everything but mailbox and stash capacity.</summary>
        public Deploy(string path, Config config, RouterConfig routerConfig, Scope scope, string dispatcher)
            : this(path, config, routerConfig, scope, dispatcher, NoMailboxGiven) { }

        /// <summary>Says everything but the stash capacity.</summary>
        public Deploy(
            string path,
            Config config,
            RouterConfig routerConfig,
            Scope scope,
            string dispatcher,
            string mailbox
        )
            : this(path, config, routerConfig, scope, dispatcher, mailbox, NoStashSize) { }

        /// <summary>Says everything; <see cref="NoDispatcherGiven"/> and its like leave a part open.</summary>
        public Deploy(
            string path,
            Config config,
            RouterConfig routerConfig,
            Scope scope,
            string dispatcher,
            string mailbox,
            int stashCapacity
        )
        {
            Path = path;
            Config = config;
            RouterConfig = routerConfig;
            Scope = scope;
            Dispatcher = dispatcher;
            Mailbox = mailbox;
            StashCapacity = stashCapacity;
        }

        /// <summary>
        /// The path that the deployment is meant for; informative, nothing is looked up by it. Empty when not given.
        /// </summary>
        public string Path { get; }

        /// <summary>
        /// Further configuration that came with the deployment; empty when there is none. The runtime reads nothing
        /// from it.
        /// </summary>
        public Config Config { get; }

        /// <summary>Always <see cref="NoRouter"/> in effect: routers are not part of this runtime.</summary>
        public RouterConfig RouterConfig { get; }

        /// <summary>In which process the actor lives; null leaves it open.</summary>
        public Scope Scope { get; }

        /// <summary>
        /// The configuration path of the mailbox; null for the one that dispatcher and requirements lead to.
        /// </summary>
        public string Mailbox { get; }

        /// <summary>The configuration path of the dispatcher; null for the default dispatcher.</summary>
        public string Dispatcher { get; }

        /// <summary>
        /// How many messages the stash holds; <see cref="NoStashSize"/> leaves it to the mailbox's configuration.
        /// </summary>
        public int StashCapacity { get; }

        /// <summary>
        /// A deployment in which the other one fills what this one leaves open. The path stays this one's.
        /// </summary>
        public virtual Deploy WithFallback(Deploy other) =>
            new(
                Path,
                Config.WithFallback(other.Config),
                RouterConfig is NoRouter ? other.RouterConfig : RouterConfig,
                Scope ?? other.Scope,
                Dispatcher ?? other.Dispatcher,
                Mailbox ?? other.Mailbox,
                StashCapacity == NoStashSize ? other.StashCapacity : StashCapacity
            );

        /// <summary>A copy with another scope; null keeps the present one.</summary>
        public virtual Deploy WithScope(Scope scope) =>
            new(Path, Config, RouterConfig, scope ?? Scope, Dispatcher, Mailbox, StashCapacity);

        /// <summary>A copy with another mailbox; null is <see cref="NoMailboxGiven"/>.</summary>
        public virtual Deploy WithMailbox(string mailbox) =>
            new(Path, Config, RouterConfig, Scope, Dispatcher, mailbox, StashCapacity);

        /// <summary>A copy with another dispatcher; null is <see cref="NoDispatcherGiven"/>.</summary>
        public virtual Deploy WithDispatcher(string dispatcher) =>
            new(Path, Config, RouterConfig, Scope, dispatcher, Mailbox, StashCapacity);

        /// <summary>A copy with another router, of which the runtime takes no notice.</summary>
        public virtual Deploy WithRouterConfig(RouterConfig routerConfig) =>
            new(Path, Config, routerConfig, Scope, Dispatcher, Mailbox, StashCapacity);

        /// <summary>A copy with another stash capacity, in messages.</summary>
        public virtual Deploy WithStashCapacity(int stashSize) =>
            new(Path, Config, RouterConfig, Scope, Dispatcher, Mailbox, stashSize);

        /// <summary>Compares everything but <see cref="Config"/>.</summary>
        public bool Equals(Deploy other) =>
            other is not null
            && string.Equals(Path, other.Path, StringComparison.Ordinal)
            && string.Equals(Dispatcher, other.Dispatcher, StringComparison.Ordinal)
            && string.Equals(Mailbox, other.Mailbox, StringComparison.Ordinal)
            && Equals(RouterConfig, other.RouterConfig)
            && Equals(Scope, other.Scope)
            && StashCapacity == other.StashCapacity;

        /// <inheritdoc/>
        public override bool Equals(object obj) => Equals(obj as Deploy);

        /// <inheritdoc/>
        public override int GetHashCode() => StashCapacity;

        /// <inheritdoc/>
        public ISurrogate ToSurrogate(ActorSystem system) =>
            new DeploySurrogate
            {
                Scope = Scope,
                RouterConfig = RouterConfig,
                Path = Path,
                Config = Config,
                Mailbox = Mailbox,
                Dispatcher = Dispatcher,
                StashCapacity = StashCapacity,
            };

        /// <summary>The serializable form of a deployment.</summary>
        public class DeploySurrogate : ISurrogate
        {
            /// <inheritdoc cref="Deploy.Scope"/>
            public Scope Scope { get; set; }

            /// <inheritdoc cref="Deploy.RouterConfig"/>
            public RouterConfig RouterConfig { get; set; }

            /// <inheritdoc cref="Deploy.Path"/>
            public string Path { get; set; }

            /// <inheritdoc cref="Deploy.Config"/>
            public Config Config { get; set; }

            /// <inheritdoc cref="Deploy.Mailbox"/>
            public string Mailbox { get; set; }

            /// <inheritdoc cref="Deploy.Dispatcher"/>
            public string Dispatcher { get; set; }

            /// <inheritdoc cref="Deploy.StashCapacity"/>
            public int StashCapacity { get; set; }

            /// <inheritdoc/>
            public ISurrogated FromSurrogate(ActorSystem system) =>
                new Deploy(Path, Config, RouterConfig, Scope, Dispatcher, Mailbox, StashCapacity);
        }
    }

    /// <summary>In which process an actor lives.</summary>
    public abstract class Scope : IEquatable<Scope>
    {
        /// <summary>In this process: the only scope that there is here.</summary>
        public static readonly LocalScope Local = LocalScope.Instance;

        /// <summary>This scope with what the other one adds.</summary>
        public abstract Scope WithFallback(Scope other);

        /// <summary>An equal scope.</summary>
        public abstract Scope Copy();

        /// <summary>Scopes of one type are equal, unless a derived scope compares more.</summary>
        public virtual bool Equals(Scope other) => other is not null && GetType() == other.GetType();

        /// <inheritdoc/>
        public override bool Equals(object obj) => Equals(obj as Scope);

        /// <inheritdoc/>
        public override int GetHashCode() => GetType().Name.Length;
    }

    /// <summary>In this process.</summary>
    public class LocalScope : Scope, ISurrogated
    {
        private LocalScope() { }

        /// <summary>The only one.</summary>
        public static LocalScope Instance { get; } = new();

        /// <inheritdoc/>
        public override Scope WithFallback(Scope other) => Instance;

        /// <inheritdoc/>
        public override Scope Copy() => Instance;

        /// <inheritdoc/>
        public ISurrogate ToSurrogate(ActorSystem system) => new LocalScopeSurrogate();

        /// <summary>The serializable form of the local scope.</summary>
        public class LocalScopeSurrogate : ISurrogate
        {
            /// <inheritdoc/>
            public ISurrogated FromSurrogate(ActorSystem system) => Instance;
        }
    }
}
