using System.Text.RegularExpressions;
using Akka.Util;

namespace Akka.Actor;

/// <summary>Some actors by their path, which may hold wildcards; looked up anew for every message.</summary>
public class ActorSelection : ICanTell
{
    /// <summary>For serializers: without an anchor nothing can be told.</summary>
    public ActorSelection() { }

    /// <summary>From an anchor along elements that are parsed.</summary>
    public ActorSelection(IActorRef anchor, SelectionPathElement[] path)
    {
        Anchor = anchor;
        Path = path;
    }

    /// <summary>From an anchor along a text that is split at slashes.</summary>
    public ActorSelection(IActorRef anchor, string path)
        : this(anchor, path == "" ? [] : path.Split('/')) { }

    /// <summary>
    /// From an anchor along names: <c>..</c>, names, and patterns with * or ?. Empty ones are left out.
    /// </summary>
    public ActorSelection(IActorRef anchor, IEnumerable<string> elements)
        : this(anchor, Parse(elements)) { }

    /// <summary>Where the walk begins.</summary>
    public IActorRef Anchor { get; }

    /// <summary>The steps from the anchor on. Don't change the array.</summary>
    public SelectionPathElement[] Path { get; }

    /// <summary>The steps as a text that starts with a slash.</summary>
    public string PathString => "/" + string.Join('/', Path.Select(p => p.ToString()));

    /// <summary>
    /// Tells all that match now; a path that names nobody makes a dead letter. Without a sender, the actor on this
    /// thread is it.
    /// </summary>
    public void Tell(object message, IActorRef sender = null)
    {
        sender ??= ActorCell.GetCurrentSelfOrNoSender();
        var from = sender.OrDeadLetters(((IInternalActorRef)Anchor).Provider);
        Deliver(Anchor, from, new ActorSelectionMessage(message, Path));
    }

    /// <summary>The one actor that matches; fails with <see cref="ActorNotFoundException"/> when none answers in time.</summary>
    public Task<IActorRef> ResolveOne(TimeSpan timeout) => ResolveOne(timeout, CancellationToken.None);

    /// <summary>The one actor that matches.</summary>
    /// <exception cref="ActorNotFoundException">Nobody answered in time, or the wait was cancelled.</exception>
    public async Task<IActorRef> ResolveOne(TimeSpan timeout, CancellationToken ct)
    {
        try
        {
            var identity = await this.Ask<ActorIdentity>(new Identify(null), timeout, ct).ConfigureAwait(false);
            return identity.Subject ?? throw new ActorNotFoundException("subject was null");
        }
        catch (AskTimeoutException e)
        {
            throw new ActorNotFoundException("ResolveOne timed out", e);
        }
        catch (TaskCanceledException e)
        {
            throw new ActorNotFoundException("ResolveOne was cancelled", e);
        }
    }

    /// <summary>Walks from an anchor to those that match and tells them.</summary>
    internal static void Deliver(IActorRef anchor, IActorRef sender, ActorSelectionMessage selection)
    {
        if (selection.Elements.Length == 0)
        {
            anchor.Tell(selection.Message, sender);
            return;
        }
        var current = (IInternalActorRef)anchor;
        for (var i = 0; i < selection.Elements.Length; i++)
        {
            if (current is not LocalActorRef local)
            {
                DeliverToOther(current, sender, selection, i);
                return;
            }
            var isLast = i == selection.Elements.Length - 1;
            switch (selection.Elements[i])
            {
                case SelectParent:
                    if (local.Parent is TreeTop)
                        current = local;
                    else
                        current = local.Parent;
                    break;
                case SelectChildName name:
                    var child = Find(local, name.Name);
                    if (child is Nobody)
                    {
                        if (!selection.WildCardFanOut)
                            Missing(local, name, i, selection).Tell(selection.Message, sender);
                        return;
                    }
                    current = child;
                    break;
                case SelectChildPattern pattern:
                    FanOut(local, pattern, sender, selection, i);
                    return;
            }
            if (isLast)
                current.Tell(selection.Message, sender);
        }
    }

    private static IInternalActorRef Find(LocalActorRef parent, string name)
    {
        var child = parent.Cell.GetSingleChild(name);
        if (child is not Nobody || parent.Path.Depth != 0)
            return child;
        return (IInternalActorRef)((LocalActorRefProvider)parent.Provider).Resolve([name]);
    }

    private static EmptyLocalActorRef Missing(
        LocalActorRef parent,
        SelectChildName name,
        int at,
        ActorSelectionMessage selection
    )
    {
        var rest = selection.Elements.Skip(at + 1).Select(e => e.ToString());
        return new EmptyLocalActorRef(parent.Provider, parent.Path / name.Name / rest, parent.Cell.System.EventStream);
    }

    private static void DeliverToOther(
        IInternalActorRef other,
        IActorRef sender,
        ActorSelectionMessage selection,
        int from
    )
    {
        if (selection.Elements.Skip(from).All(e => e is SelectChildName))
        {
            var names = selection.Elements.Skip(from).Select(e => ((SelectChildName)e).Name).ToList();
            var child = other.GetChild(names);
            if (child is not Nobody)
            {
                child.Tell(selection.Message, sender);
                return;
            }
        }
        if (!selection.WildCardFanOut)
            other.Tell(selection.CopyWith(selection.Elements.Skip(from).ToArray(), false), sender);
    }

    private static void FanOut(
        LocalActorRef parent,
        SelectChildPattern pattern,
        IActorRef sender,
        ActorSelectionMessage selection,
        int at
    )
    {
        var rest = selection.Elements.Skip(at + 1).ToArray();
        if (pattern.PatternStr == "**")
        {
            FanOutDeep(parent, sender, selection);
            return;
        }
        var matching = parent.Cell.ChildrenRefs.Where(c => pattern.Matches(c.Path.Name)).ToArray();
        if (matching.Length == 0 && !selection.WildCardFanOut)
        {
            new EmptyLocalActorRef(
                parent.Provider,
                parent.Path / selection.Elements.Skip(at).Select(e => e.ToString()),
                parent.Cell.System.EventStream
            ).Tell(selection.Message, sender);
            return;
        }
        foreach (var child in matching)
            Deliver(child, sender, selection.CopyWith(rest, selection.WildCardFanOut || matching.Length > 1));
    }

    private static void FanOutDeep(LocalActorRef parent, IActorRef sender, ActorSelectionMessage selection)
    {
        foreach (var child in parent.Cell.ChildrenRefs.Cast<LocalActorRef>())
        {
            child.Tell(selection.Message, sender);
            FanOutDeep(child, sender, selection);
        }
    }

    private static SelectionPathElement[] Parse(IEnumerable<string> elements)
    {
        var parsed = new List<SelectionPathElement>();
        foreach (var element in elements)
        {
            switch (element)
            {
                case "":
                    break;
                case "..":
                    parsed.Add(new SelectParent());
                    break;
                default:
                    parsed.Add(
                        element.AsSpan().ContainsAny('*', '?')
                            ? new SelectChildPattern(element)
                            : new SelectChildName(element)
                    );
                    break;
            }
        }
        return parsed.ToArray();
    }

    /// <summary>Compares anchor and steps.</summary>
    protected bool Equals(ActorSelection other) =>
        other is not null && Equals(Anchor, other.Anchor) && PathString == other.PathString;

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as ActorSelection);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Anchor, PathString);

    /// <inheritdoc/>
    public override string ToString() =>
        Anchor.Path.Uid == ActorCell.UndefinedUid
            ? $"ActorSelection[Anchor({Anchor.Path}), Path({PathString})]"
            : $"ActorSelection[Anchor({Anchor.Path}#{Anchor.Path.Uid}), Path({PathString})]";
}

/// <summary>A message on its way through a selection.</summary>
public class ActorSelectionMessage : IAutoReceivedMessage, IPossiblyHarmful, IWrappedMessage
{
    /// <summary>With the steps that are left; the flag says that a wildcard has been passed.</summary>
    public ActorSelectionMessage(object message, SelectionPathElement[] elements, bool wildCardFanOut = false)
    {
        Message = message;
        Elements = elements;
        WildCardFanOut = wildCardFanOut;
    }

    /// <inheritdoc/>
    public object Message { get; }

    /// <summary>The steps that are left.</summary>
    public SelectionPathElement[] Elements { get; }

    /// <summary>Whether a wildcard was passed: those who are missing make no dead letters then.</summary>
    public bool WildCardFanOut { get; }

    internal ActorSelectionMessage CopyWith(SelectionPathElement[] elements, bool fanOut) =>
        new(Message, elements, fanOut);
}

/// <summary>One step of a selection.</summary>
public abstract class SelectionPathElement;

/// <summary>To the child of a name.</summary>
public class SelectChildName(string name) : SelectionPathElement
{
    /// <summary>The name, without wildcards.</summary>
    public string Name { get; } = name;

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>To the children whose names match: ? is one character, * any number.</summary>
public class SelectChildPattern : SelectionPathElement
{
    private readonly Regex _regex;

    /// <summary>The pattern, matched against the whole name.</summary>
    public SelectChildPattern(string patternStr)
    {
        PatternStr = patternStr;
        var escaped = Regex.Escape(patternStr).Replace("\\*", ".*").Replace("\\?", ".");
        _regex = new Regex("^" + escaped + "$", RegexOptions.CultureInvariant);
    }

    /// <summary>The pattern as it was given. A lone ** selects all descendants.</summary>
    public string PatternStr { get; }

    internal bool Matches(string name) => _regex.IsMatch(name);

    /// <inheritdoc/>
    public override string ToString() => PatternStr;
}

/// <summary>To the parent.</summary>
public class SelectParent : SelectionPathElement
{
    /// <inheritdoc/>
    public override string ToString() => "..";
}

/// <summary>Makes selections from texts.</summary>
internal sealed class SelectionFactory(ActorSystemImpl system)
{
    internal ActorSelection ByPath(ActorPath path) => new(system.Provider.RootGuardianAt(path.Address), path.Elements);

    /// <summary>Relative paths begin at the root: "user/name".</summary>
    internal ActorSelection FromRoot(string path) => FromContext(system.LookupRoot, path);

    /// <summary>Relative paths begin at the actor.</summary>
    internal ActorSelection FromContext(IActorRef self, string path)
    {
        if (string.IsNullOrEmpty(path))
            return new ActorSelection(system.DeadLetters, "");
        if (path.Contains("://", StringComparison.Ordinal))
        {
            if (!ActorPath.TryParse(path, out var absolute))
                return new ActorSelection(system.DeadLetters, "");
            var elements = path[(path.IndexOf("://", StringComparison.Ordinal) + 3)..].Split('/').Skip(1);
            return new ActorSelection(system.Provider.RootGuardianAt(absolute.Address), elements);
        }
        if (path.StartsWith('/'))
            return new ActorSelection(system.LookupRoot, path.Split('/').Skip(1));
        return new ActorSelection(self, path.Split('/'));
    }
}
