using System.Globalization;
using Akka.Util;

namespace Akka.Actor;

/// <summary>The place of an actor in its system's tree. Equality ignores the uid of the incarnation.</summary>
public abstract class ActorPath : IEquatable<ActorPath>, IComparable<ActorPath>, ISurrogated
{
    /// <summary>The characters that a name may hold besides letters and digits.</summary>
    public const string ValidSymbols = "\"-_.*$+:@&=,!~';()";

    /// <summary>A root.</summary>
    protected ActorPath(Address address, string name)
    {
        RootAddress = address;
        Name = name;
    }

    /// <summary>A path below another; the name is not checked here.</summary>
    protected ActorPath(ActorPath parentPath, string name, long uid)
    {
        ParentPath = parentPath;
        Name = name;
        Uid = uid;
    }

    internal Address RootAddress { get; }
    internal ActorPath ParentPath { get; }

    /// <summary>The last element; empty for a root.</summary>
    public string Name { get; }

    /// <summary>Tells incarnations at one path apart; 0 when the path means whichever is there.</summary>
    public long Uid { get; }

    /// <summary>The address of the root, found by walking up.</summary>
    public Address Address => Root.RootAddress;

    /// <summary>The path above; null for a root.</summary>
    public ActorPath Parent => ParentPath;

    /// <summary>How many elements there are below the root; 0 for the root itself.</summary>
    public int Depth
    {
        get
        {
            var depth = 0;
            for (var p = this; p.ParentPath is not null; p = p.ParentPath)
                depth++;
            return depth;
        }
    }

    /// <summary>The root, found by walking up.</summary>
    public ActorPath Root
    {
        get
        {
            var p = this;
            while (p.ParentPath is not null)
                p = p.ParentPath;
            return p;
        }
    }

    /// <summary>The names from the root (exclusive) down to this actor.</summary>
    public IReadOnlyList<string> Elements
    {
        get
        {
            var names = new string[Depth];
            var i = names.Length;
            for (var p = this; p.ParentPath is not null; p = p.ParentPath)
                names[--i] = p.Name;
            return names;
        }
    }

    /// <summary>Whether a text may be the name of an actor; names that start with $ are reserved.</summary>
    public static bool IsValidPathElement(string s)
    {
        if (string.IsNullOrEmpty(s) || s[0] == '$')
            return false;
        for (var i = 0; i < s.Length; i++)
        {
            var c = s[i];
            if (char.IsAsciiLetterOrDigit(c) || ValidSymbols.Contains(c, StringComparison.Ordinal))
                continue;
            if (c == '%' && i + 2 < s.Length && char.IsAsciiHexDigit(s[i + 1]) && char.IsAsciiHexDigit(s[i + 2]))
            {
                i += 2;
                continue;
            }
            return false;
        }
        return true;
    }

    /// <summary>The same path for another incarnation; a root stays itself.</summary>
    public ActorPath WithUid(long uid) =>
        uid == Uid || ParentPath is null ? this : new ChildActorPath(ParentPath, Name, uid);

    /// <summary>The path of a child; <c>name#uid</c> sets the uid too. The name is not checked.</summary>
    public ActorPath Child(string childName) => this / childName;

    /// <summary>The path of a child; <c>name#uid</c> sets the uid too. The name is not checked.</summary>
    public static ActorPath operator /(ActorPath path, string name)
    {
        var hash = name.IndexOf('#', StringComparison.Ordinal);
        return
            hash >= 0
            && long.TryParse(name.AsSpan(hash + 1), NumberStyles.Integer, CultureInfo.InvariantCulture, out var uid)
            ? new ChildActorPath(path, name[..hash], uid)
            : new ChildActorPath(path, name, 0);
    }

    /// <summary>Goes down several names; empty ones are left out.</summary>
    public static ActorPath operator /(ActorPath path, IEnumerable<string> name)
    {
        foreach (var element in name)
        {
            if (!string.IsNullOrEmpty(element))
                path /= element;
        }
        return path;
    }

    /// <summary>The ancestor at a depth: zero is the root, a negative number counts up from here.</summary>
    public ActorPath ParentOf(int depth)
    {
        var up = depth >= 0 ? Depth - depth : -depth;
        var p = this;
        while (up-- > 0 && p.ParentPath is not null)
            p = p.ParentPath;
        return p;
    }

    /// <summary>Reads an absolute path, <c>akka://system/user/name#uid</c>.</summary>
    /// <exception cref="UriFormatException">It is not one.</exception>
    public static ActorPath Parse(string path) =>
        TryParse(path, out var parsed) ? parsed : throw new UriFormatException($"Can not parse an ActorPath: {path}");

    /// <summary>
    /// Reads an absolute path; false when it is not one. Elements are not checked for valid characters.
    /// </summary>
    public static bool TryParse(string path, out ActorPath actorPath) => TryParse(null, path, out actorPath);

    /// <summary>
    /// Reads a path relative to a base, or an absolute one when the base is null. False leaves the base as the result.
    /// </summary>
    public static bool TryParse(ActorPath basePath, string absoluteUri, out ActorPath actorPath) =>
        TryParse(basePath, absoluteUri.AsSpan(), out actorPath);

    /// <summary>
    /// Reads a path relative to a base, or an absolute one when the base is null. False leaves the base as the result.
    /// </summary>
    public static bool TryParse(ActorPath basePath, ReadOnlySpan<char> absoluteUri, out ActorPath actorPath)
    {
        actorPath = basePath;
        var rest = absoluteUri;
        if (basePath is null)
        {
            if (!Address.TryParse(absoluteUri, out var address, out rest))
                return false;
            actorPath = new RootActorPath(address);
        }
        foreach (var range in rest.Split('/'))
        {
            if (!rest[range].IsEmpty)
                actorPath /= rest[range].ToString();
        }
        return true;
    }

    /// <summary>Reads the address at the beginning of a path; false when there is none.</summary>
    public static bool TryParseAddress(string path, out Address address) => Address.TryParse(path, out address);

    /// <summary>Reads the address at the beginning of a path and gives the rest, which starts with a slash.</summary>
    public static bool TryParseAddress(string path, out Address address, out ReadOnlySpan<char> absoluteUri) =>
        Address.TryParse(path.AsSpan(), out address, out absoluteUri);

    /// <summary>
    /// Splits a path at the end of its address without reading either part; false when it has no scheme.
    /// </summary>
    public static bool TryParseParts(
        ReadOnlySpan<char> path,
        out ReadOnlySpan<char> address,
        out ReadOnlySpan<char> absoluteUri
    )
    {
        address = default;
        absoluteUri = default;
        var scheme = path.IndexOf("://");
        if (scheme <= 0)
            return false;
        var slash = path[(scheme + 3)..].IndexOf('/');
        address = slash < 0 ? path : path[..(scheme + 3 + slash)];
        absoluteUri = slash < 0 ? "/" : path[(scheme + 3 + slash)..];
        return true;
    }

    /// <summary><c>/user/name</c>, without address and uid.</summary>
    public string ToStringWithoutAddress()
    {
        if (ParentPath is null)
            return "/";
        var length = 0;
        for (var p = this; p.ParentPath is not null; p = p.ParentPath)
            length += p.Name.Length + 1;
        return string.Create(
            length,
            this,
            static (span, path) =>
            {
                var end = span.Length;
                for (var p = path; p.ParentPath is not null; p = p.ParentPath)
                {
                    end -= p.Name.Length;
                    p.Name.CopyTo(span[end..]);
                    span[--end] = '/';
                }
            }
        );
    }

    /// <summary><c>akka://system/user/name</c>, without uid.</summary>
    public string ToStringWithAddress() => Address + ToStringWithoutAddress();

    /// <summary>With the path's own address when that has a host, else with the given one.</summary>
    public string ToStringWithAddress(Address address) =>
        (Address.HasGlobalScope ? Address : address) + ToStringWithoutAddress();

    /// <summary>As <see cref="ToStringWithAddress()"/>, with <c>#uid</c> at the end when there is one.</summary>
    public string ToStringWithUid() => AppendUid(ToStringWithAddress());

    /// <summary>What <see cref="Parse"/> reads back with nothing lost.</summary>
    public string ToSerializationFormat() => AppendUid(ToStringWithAddress());

    /// <summary>
    /// As <see cref="ToSerializationFormat"/>; the given address stands in when the path's own has no host.
    /// </summary>
    public string ToSerializationFormatWithAddress(Address address) => AppendUid(ToStringWithAddress(address));

    /// <inheritdoc/>
    public override string ToString() => ToStringWithAddress();

    /// <summary>Joins elements with slashes and puts one before them.</summary>
    public static string FormatPathElements(IEnumerable<string> pathElements) => "/" + string.Join('/', pathElements);

    /// <summary>Compares names and address; not the uid.</summary>
    public bool Equals(ActorPath other)
    {
        var left = this;
        var right = other;
        while (true)
        {
            if (ReferenceEquals(left, right))
                return true;
            if (left is null || right is null || !string.Equals(left.Name, right.Name, StringComparison.Ordinal))
                return false;
            if (left.ParentPath is null || right.ParentPath is null)
                return left.ParentPath is null && right.ParentPath is null && left.Address.Equals(right.Address);
            left = left.ParentPath;
            right = right.ParentPath;
        }
    }

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as ActorPath);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = 17;
        for (var p = this; p is not null; p = p.ParentPath)
            hash = (hash * 31) + (p.ParentPath is null ? p.RootAddress.GetHashCode() : MurmurHash.StringHash(p.Name));
        return hash;
    }

    /// <summary>By address, then by the text of the names, ordinally. Null is first.</summary>
    public int CompareTo(ActorPath other)
    {
        if (other is null)
            return 1;
        var order = Address.CompareTo(other.Address);
        return order != 0 ? order : string.CompareOrdinal(ToStringWithoutAddress(), other.ToStringWithoutAddress());
    }

    /// <summary>Compares names and address; not the uid.</summary>
    public static bool operator ==(ActorPath left, ActorPath right) =>
        left is null ? right is null : left.Equals(right);

    /// <summary>The negation of <c>==</c>.</summary>
    public static bool operator !=(ActorPath left, ActorPath right) => !(left == right);

    /// <inheritdoc/>
    public ISurrogate ToSurrogate(ActorSystem system) => new Surrogate(ToSerializationFormat());

    private string AppendUid(string text) => Uid == 0 ? text : text + "#" + Uid.ToString(CultureInfo.InvariantCulture);

    /// <summary>The serializable form of a path.</summary>
    public sealed class Surrogate(string path) : ISurrogate, IEquatable<Surrogate>, IEquatable<ActorPath>
    {
        /// <summary>The path in its serialization format.</summary>
        public string Path { get; } = path;

        /// <summary>The path, or null when the text is not one.</summary>
        public ISurrogated FromSurrogate(ActorSystem system) => TryParse(Path, out var parsed) ? parsed : null;

        /// <summary>Compares the texts.</summary>
        public bool Equals(Surrogate other) =>
            other is not null && string.Equals(Path, other.Path, StringComparison.Ordinal);

        /// <summary>Whether the path has this serialization format, uid included.</summary>
        public bool Equals(ActorPath other) =>
            other is not null && string.Equals(Path, other.ToSerializationFormat(), StringComparison.Ordinal);

        /// <inheritdoc/>
        public override bool Equals(object obj) => obj is Surrogate s ? Equals(s) : Equals(obj as ActorPath);

        /// <inheritdoc/>
        public override int GetHashCode() => MurmurHash.StringHash(Path);
    }
}

/// <summary>The root of a system's tree.</summary>
public sealed class RootActorPath(Address address, string name = "") : ActorPath(address, name);

/// <summary>The path of any actor below the root.</summary>
public sealed class ChildActorPath(ActorPath parentPath, string name, long uid) : ActorPath(parentPath, name, uid);

/// <summary>Splits a path that is relative to some actor.</summary>
public static class RelativeActorPath
{
    /// <summary>The elements of a relative path, <c>..</c> among them; null when the text is absolute.</summary>
    public static IEnumerable<string> Unapply(string addr) =>
        addr.Contains("://", StringComparison.Ordinal) ? null : addr.Split('/');
}
