using Akka.Util;

namespace Akka.Actor;

/// <summary>Where an actor system is reachable: protocol, system name and, when it is remote, host and port.</summary>
public sealed class Address : IEquatable<Address>, IComparable<Address>, IComparable, ISurrogated, ICloneable
{
    /// <summary>Orders addresses by protocol, system, host and port.</summary>
    public static readonly IComparer<Address> Comparer = Comparer<Address>.Create(CompareParts);

    /// <summary>Matches every system; never the address of a real one.</summary>
    public static readonly Address AllSystems = new("akka", "all-systems");

    private readonly string _text;

    /// <summary>The host is turned into lower case. Nothing is checked.</summary>
    public Address(string protocol, string system, string host = null, int? port = null)
    {
        Protocol = protocol;
        System = system;
        Host = host?.ToLowerInvariant();
        Port = port;
        _text = Protocol + "://" + HostPort();
    }

    /// <summary>In lower case; null when the address is local.</summary>
    public string Host { get; }

    /// <summary>0 to 65,535; null when the address is local.</summary>
    public int? Port { get; }

    /// <summary>The name of the actor system.</summary>
    public string System { get; }

    /// <summary><c>akka</c> here; <c>akka.tcp</c> and its like only where other systems are named.</summary>
    public string Protocol { get; }

    /// <summary>Whether there is no host: the address means something within its process only.</summary>
    public bool HasLocalScope => string.IsNullOrEmpty(Host);

    /// <summary>Whether there is a host.</summary>
    public bool HasGlobalScope => !HasLocalScope;

    /// <summary><c>system@host:port</c>, or <c>system</c> for a local address.</summary>
    public string HostPort()
    {
        var text = System;
        if (!string.IsNullOrEmpty(Host))
            text += "@" + Host;
        if (Port is { } port)
            text += ":" + port.ToString(global::System.Globalization.CultureInfo.InvariantCulture);
        return text;
    }

    /// <inheritdoc/>
    public override string ToString() => _text;

    /// <summary>Protocol, system, host and port in this order, ordinally. Null is first.</summary>
    public int CompareTo(Address other) => CompareParts(this, other);

    /// <summary>As <see cref="CompareTo(Address)"/>.</summary>
    /// <exception cref="ArgumentException">The object is not an address.</exception>
    public int CompareTo(object obj) =>
        obj is Address other ? CompareParts(this, other) : throw new ArgumentException("Not an address.", nameof(obj));

    /// <summary>Compares the texts, in which the host is in lower case.</summary>
    public bool Equals(Address other) =>
        ReferenceEquals(this, other)
        || (other is not null && string.Equals(_text, other._text, StringComparison.Ordinal));

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as Address);

    /// <inheritdoc/>
    public override int GetHashCode() => MurmurHash.StringHash(_text);

    /// <summary>An equal address.</summary>
    public object Clone() => new Address(Protocol, System, Host, Port);

    /// <summary>A copy with another protocol.</summary>
    public Address WithProtocol(string protocol) => new(protocol, System, Host, Port);

    /// <summary>A copy with another system name.</summary>
    public Address WithSystem(string system) => new(Protocol, system, Host, Port);

    /// <summary>A copy with another host; null makes it local if the port is null too.</summary>
    public Address WithHost(string host = null) => new(Protocol, System, host, Port);

    /// <summary>A copy with another port.</summary>
    public Address WithPort(int? port = null) => new(Protocol, System, Host, port);

    /// <summary>As <see cref="Equals(Address)"/>; null equals null.</summary>
    public static bool operator ==(Address left, Address right) => left is null ? right is null : left.Equals(right);

    /// <summary>The negation of <c>==</c>.</summary>
    public static bool operator !=(Address left, Address right) => !(left == right);

    /// <summary>Reads an address; a text that is none throws <see cref="UriFormatException"/>.</summary>
    public static Address Parse(string address) =>
        TryParse(address, out var parsed)
            ? parsed
            : throw new UriFormatException("Not an actor system address: " + address);

    /// <summary>
    /// Reads the address at the beginning of a text; false when there is none. The protocol must begin with akka.
    /// </summary>
    public static bool TryParse(string path, out Address address) => TryParse(path.AsSpan(), out address, out _);

    /// <summary>
    /// As <see cref="TryParse(string, out Address)"/>, and gives what follows the address: a path that starts with a
    /// slash.
    /// </summary>
    public static bool TryParse(string path, out Address address, out string absolutUri)
    {
        var ok = TryParse(path.AsSpan(), out address, out var rest);
        absolutUri = ok ? rest.ToString() : null;
        return ok;
    }

    /// <summary>
    /// Reads the address at the beginning of a text; false when there is none. The protocol must begin with akka.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> span, out Address address) => TryParse(span, out address, out _);

    /// <summary>
    /// As <see cref="TryParse(string, out Address)"/>, and gives what follows the address: a path that starts with a
    /// slash.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> span, out Address address, out ReadOnlySpan<char> absolutUri)
    {
        address = null;
        absolutUri = default;
        var scheme = span.IndexOf("://");
        if (scheme <= 0)
            return false;
        var protocol = span[..scheme].ToString();
        if (!protocol.StartsWith("akka", StringComparison.OrdinalIgnoreCase))
            return false;
        var rest = span[(scheme + 3)..];
        var slash = rest.IndexOf('/');
        var authority = slash < 0 ? rest : rest[..slash];
        absolutUri = slash < 0 ? "/" : rest[slash..];
        if (authority.IsEmpty)
            return false;
        var at = authority.IndexOf('@');
        if (at < 0)
        {
            address = new Address(protocol, authority.ToString());
            return authority.IndexOf(':') < 0;
        }
        var system = authority[..at].ToString();
        var hostPort = authority[(at + 1)..];
        var colon = hostPort.LastIndexOf(':');
        if (system.Length == 0 || colon <= 0 || hostPort[colon - 1] == ':')
            return false;
        if (!int.TryParse(hostPort[(colon + 1)..], out var port) || port is < 0 or > 65535)
            return false;
        address = new Address(protocol, system, hostPort[..colon].ToString(), port);
        return true;
    }

    /// <inheritdoc/>
    public ISurrogate ToSurrogate(ActorSystem system) =>
        new AddressSurrogate
        {
            Protocol = Protocol,
            System = System,
            Host = Host,
            Port = Port,
        };

    private static int CompareParts(Address left, Address right)
    {
        if (ReferenceEquals(left, right))
            return 0;
        if (left is null || right is null)
            return left is null ? -1 : 1;
        var order = string.CompareOrdinal(left.Protocol, right.Protocol);
        if (order == 0)
            order = string.CompareOrdinal(left.System, right.System);
        if (order == 0)
            order = string.CompareOrdinal(left.Host ?? "", right.Host ?? "");
        return order != 0 ? order : (left.Port ?? 0).CompareTo(right.Port ?? 0);
    }

    /// <summary>The serializable form of an address.</summary>
    public sealed class AddressSurrogate : ISurrogate
    {
        /// <inheritdoc cref="Address.Protocol"/>
        public string Protocol { get; set; }

        /// <inheritdoc cref="Address.System"/>
        public string System { get; set; }

        /// <inheritdoc cref="Address.Host"/>
        public string Host { get; set; }

        /// <inheritdoc cref="Address.Port"/>
        public int? Port { get; set; }

        /// <inheritdoc/>
        public ISurrogated FromSurrogate(ActorSystem system) => new Address(Protocol, System, Host, Port);
    }
}
