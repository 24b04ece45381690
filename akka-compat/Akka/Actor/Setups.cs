using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Util;

namespace Akka.Actor.Setup
{
    /// <summary>Something that an actor system is created with.</summary>
    public abstract class Setup
    {
        /// <summary>This setup and another one; of two of a kind the last counts.</summary>
        public ActorSystemSetup And(Setup other) => ActorSystemSetup.Create(this, other);
    }

    /// <summary>All that an actor system is created with, one of a kind.</summary>
    public sealed class ActorSystemSetup
    {
        /// <summary>No setups: everything has its default.</summary>
        public static readonly ActorSystemSetup Empty = new([]);

        private readonly Setup[] _setups;

        private ActorSystemSetup(Setup[] setups)
        {
            _setups = setups;
        }

        /// <summary>Of several setups of a kind the last counts.</summary>
        public static ActorSystemSetup Create(params Setup[] setup) =>
            setup.Aggregate(Empty, (all, next) => all.With(next));

        /// <summary>The setup of a kind, if there is one. A base type finds the last of its kind.</summary>
        public Option<T> Get<T>()
            where T : Setup => _setups.OfType<T>().LastOrDefault() is { } found ? found : Option<T>.None;

        /// <summary>A copy with one more setup, in place of one of the same type.</summary>
        public ActorSystemSetup WithSetup<T>(T setup)
            where T : Setup => With(setup);

        /// <summary>A copy with one more setup, in place of one of the same type.</summary>
        public ActorSystemSetup And<T>(T setup)
            where T : Setup => With(setup);

        private ActorSystemSetup With(Setup setup) =>
            new([.. _setups.Where(s => s.GetType() != setup.GetType()), setup]);

        /// <inheritdoc/>
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

        /// <summary>The user's configuration; none for the defaults alone.</summary>
        public Option<Config> Config { get; }

        /// <summary>The chosen provider; none for the local one.</summary>
        public Option<ProviderSelection> ActorRefProvider { get; }

        /// <summary>Says nothing yet.</summary>
        public static BootstrapSetup Create() => new();

        /// <summary>
        /// A copy with a provider. Other than the local one it makes the creation of the system fail.
        /// </summary>
        public BootstrapSetup WithActorRefProvider(ProviderSelection name) => new(Config, name);

        /// <summary>A copy with this configuration in place of the present one.</summary>
        public BootstrapSetup WithConfig(Config config) => new(config, ActorRefProvider);

        /// <summary>A copy in which this configuration fills what the present one leaves open.</summary>
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
            /// <summary>The only one.</summary>
            public static readonly Local Instance = new();

            private Local()
                : base("local", "Akka.Actor.LocalActorRefProvider", false) { }
        }

        /// <summary>In other processes too. Not supported: creating a system with it fails.</summary>
        public sealed class Remote : ProviderSelection
        {
            /// <summary>The only one.</summary>
            public static readonly Remote Instance = new();

            private Remote()
                : base("remote", "Akka.Remote.RemoteActorRefProvider, Akka.Remote", false) { }
        }

        /// <summary>In a cluster. Not supported: creating a system with it fails.</summary>
        public sealed class Cluster : ProviderSelection
        {
            /// <summary>The only one.</summary>
            public static readonly Cluster Instance = new();

            private Cluster()
                : base("cluster", "Akka.Cluster.ClusterActorRefProvider, Akka.Cluster", true) { }
        }

        /// <summary>Named by the user. Not supported: creating a system with it fails.</summary>
        public sealed class Custom(string fqn, string identifier = null, bool hasCluster = false)
            : ProviderSelection(identifier ?? fqn, fqn, hasCluster);
    }
}
