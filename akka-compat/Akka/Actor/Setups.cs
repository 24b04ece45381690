using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Util;

namespace Akka.Actor.Setup
{
    /// <summary>Something that an actor system is created with.</summary>
    public abstract class Setup
    {
        public ActorSystemSetup And(Setup other) => ActorSystemSetup.Create(this, other);
    }

    /// <summary>All that an actor system is created with, one of a kind.</summary>
    public sealed class ActorSystemSetup
    {
        public static readonly ActorSystemSetup Empty = new([]);

        private readonly Setup[] _setups;

        private ActorSystemSetup(Setup[] setups)
        {
            _setups = setups;
        }

        public static ActorSystemSetup Create(params Setup[] setup) =>
            setup.Aggregate(Empty, (all, next) => all.With(next));

        public Option<T> Get<T>()
            where T : Setup => _setups.OfType<T>().LastOrDefault() is { } found ? found : Option<T>.None;

        public ActorSystemSetup WithSetup<T>(T setup)
            where T : Setup => With(setup);

        public ActorSystemSetup And<T>(T setup)
            where T : Setup => With(setup);

        private ActorSystemSetup With(Setup setup) =>
            new([.. _setups.Where(s => s.GetType() != setup.GetType()), setup]);

        public override string ToString() =>
            "ActorSystemSetup(" + string.Join(",", _setups.Select(s => s.GetType().Name)) + ")";
    }
}

namespace Akka.Actor
{
    /// <summary>The configuration and the provider that a system is created with.</summary>
    public sealed class BootstrapSetup : Setup.Setup
    {
        private BootstrapSetup(Option<Config> config, Option<ProviderSelection> provider)
        {
            Config = config;
            ActorRefProvider = provider;
        }

        internal BootstrapSetup()
            : this(Option<Config>.None, Option<ProviderSelection>.None) { }

        public Option<Config> Config { get; }
        public Option<ProviderSelection> ActorRefProvider { get; }

        public static BootstrapSetup Create() => new();

        public BootstrapSetup WithActorRefProvider(ProviderSelection name) => new(Config, name);

        public BootstrapSetup WithConfig(Config config) => new(config, ActorRefProvider);

        public BootstrapSetup WithConfigFallback(Config config) =>
            WithConfig(Config.HasValue ? Config.Value.WithFallback(config) : config);
    }

    /// <summary>Where actors may live.</summary>
    public abstract class ProviderSelection
    {
        private protected ProviderSelection(string identifier, string fqn, bool hasCluster)
        {
            Identifier = identifier;
            Fqn = fqn;
            HasCluster = hasCluster;
        }

        internal string Identifier { get; }
        internal string Fqn { get; }
        internal bool HasCluster { get; }

        /// <summary>In this process.</summary>
        public sealed class Local : ProviderSelection
        {
            public static readonly Local Instance = new();

            private Local()
                : base("local", "Akka.Actor.LocalActorRefProvider", false) { }
        }

        /// <summary>In other processes too. Not supported: creating a system with it fails.</summary>
        public sealed class Remote : ProviderSelection
        {
            public static readonly Remote Instance = new();

            private Remote()
                : base("remote", "Akka.Remote.RemoteActorRefProvider, Akka.Remote", false) { }
        }

        /// <summary>In a cluster. Not supported: creating a system with it fails.</summary>
        public sealed class Cluster : ProviderSelection
        {
            public static readonly Cluster Instance = new();

            private Cluster()
                : base("cluster", "Akka.Cluster.ClusterActorRefProvider, Akka.Cluster", true) { }
        }

        /// <summary>Named by the user. Not supported: creating a system with it fails.</summary>
        public sealed class Custom(string fqn, string identifier = null, bool hasCluster = false)
            : ProviderSelection(identifier ?? fqn, fqn, hasCluster);
    }
}
