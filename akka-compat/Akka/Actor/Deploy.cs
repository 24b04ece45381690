using Akka.Configuration;
using Akka.Routing;
using Akka.Util;

namespace Akka.Routing
{
    /// <summary>How a router spreads messages. Routers are not part of this runtime; the type exists for signatures.</summary>
    public abstract class RouterConfig : IEquatable<RouterConfig>
    {
        public virtual bool Equals(RouterConfig other) => ReferenceEquals(this, other);

        public override bool Equals(object obj) => Equals(obj as RouterConfig);

        public override int GetHashCode() => GetType().Name.Length;
    }

    /// <summary>No router.</summary>
    public sealed class NoRouter : RouterConfig
    {
        public static readonly NoRouter Instance = new();

        private NoRouter() { }

        public override bool Equals(RouterConfig other) => other is NoRouter;
    }
}

namespace Akka.Actor
{
    /// <summary>Where an actor runs and on which mailbox.</summary>
    public class Deploy : IEquatable<Deploy>, ISurrogated
    {
        public const int NoStashSize = -1;
        public static readonly string NoDispatcherGiven = null;
        public static readonly string NoMailboxGiven = null;
        public static readonly Scope NoScopeGiven = null;
        public static readonly Deploy Local = new(LocalScope.Instance);
        public static readonly Deploy None = null;

        public Deploy()
            : this("", Config.Empty, NoRouter.Instance, NoScopeGiven, NoDispatcherGiven) { }

        public Deploy(string path, Scope scope)
            : this(path, Config.Empty, NoRouter.Instance, scope, NoDispatcherGiven) { }

        public Deploy(Scope scope)
            : this("", Config.Empty, NoRouter.Instance, scope, NoDispatcherGiven) { }

        public Deploy(RouterConfig routerConfig, Scope scope)
            : this("", Config.Empty, routerConfig, scope, NoDispatcherGiven) { }

        public Deploy(RouterConfig routerConfig)
            : this("", Config.Empty, routerConfig, NoScopeGiven, NoDispatcherGiven) { }

        public Deploy(string path, Config config, RouterConfig routerConfig, Scope scope, string dispatcher)
            : this(path, config, routerConfig, scope, dispatcher, NoMailboxGiven) { }

        public Deploy(
            string path,
            Config config,
            RouterConfig routerConfig,
            Scope scope,
            string dispatcher,
            string mailbox
        )
            : this(path, config, routerConfig, scope, dispatcher, mailbox, NoStashSize) { }

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

        public string Path { get; }
        public Config Config { get; }
        public RouterConfig RouterConfig { get; }
        public Scope Scope { get; }
        public string Mailbox { get; }
        public string Dispatcher { get; }
        public int StashCapacity { get; }

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

        public virtual Deploy WithScope(Scope scope) =>
            new(Path, Config, RouterConfig, scope ?? Scope, Dispatcher, Mailbox, StashCapacity);

        public virtual Deploy WithMailbox(string mailbox) =>
            new(Path, Config, RouterConfig, Scope, Dispatcher, mailbox, StashCapacity);

        public virtual Deploy WithDispatcher(string dispatcher) =>
            new(Path, Config, RouterConfig, Scope, dispatcher, Mailbox, StashCapacity);

        public virtual Deploy WithRouterConfig(RouterConfig routerConfig) =>
            new(Path, Config, routerConfig, Scope, Dispatcher, Mailbox, StashCapacity);

        public virtual Deploy WithStashCapacity(int stashSize) =>
            new(Path, Config, RouterConfig, Scope, Dispatcher, Mailbox, stashSize);

        public bool Equals(Deploy other) =>
            other is not null
            && string.Equals(Path, other.Path, StringComparison.Ordinal)
            && string.Equals(Dispatcher, other.Dispatcher, StringComparison.Ordinal)
            && string.Equals(Mailbox, other.Mailbox, StringComparison.Ordinal)
            && Equals(RouterConfig, other.RouterConfig)
            && Equals(Scope, other.Scope)
            && StashCapacity == other.StashCapacity;

        public override bool Equals(object obj) => Equals(obj as Deploy);

        public override int GetHashCode() => StashCapacity;

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
            public Scope Scope { get; set; }
            public RouterConfig RouterConfig { get; set; }
            public string Path { get; set; }
            public Config Config { get; set; }
            public string Mailbox { get; set; }
            public string Dispatcher { get; set; }
            public int StashCapacity { get; set; }

            public ISurrogated FromSurrogate(ActorSystem system) =>
                new Deploy(Path, Config, RouterConfig, Scope, Dispatcher, Mailbox, StashCapacity);
        }
    }

    /// <summary>In which process an actor lives.</summary>
    public abstract class Scope : IEquatable<Scope>
    {
        public static readonly LocalScope Local = LocalScope.Instance;

        public abstract Scope WithFallback(Scope other);
        public abstract Scope Copy();

        public virtual bool Equals(Scope other) => other is not null && GetType() == other.GetType();

        public override bool Equals(object obj) => Equals(obj as Scope);

        public override int GetHashCode() => GetType().Name.Length;
    }

    /// <summary>In this process.</summary>
    public class LocalScope : Scope, ISurrogated
    {
        private LocalScope() { }

        public static LocalScope Instance { get; } = new();

        public override Scope WithFallback(Scope other) => Instance;

        public override Scope Copy() => Instance;

        public ISurrogate ToSurrogate(ActorSystem system) => new LocalScopeSurrogate();

        /// <summary>The serializable form of the local scope.</summary>
        public class LocalScopeSurrogate : ISurrogate
        {
            public ISurrogated FromSurrogate(ActorSystem system) => Instance;
        }
    }
}
