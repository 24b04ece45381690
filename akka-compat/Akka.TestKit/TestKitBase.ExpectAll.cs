using System.Runtime.CompilerServices;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    /// <summary>Fails unless the next message is equal to one of these; gives it.</summary>
    public T ExpectMsgAnyOf<T>(IEnumerable<T> messages, CancellationToken cancellationToken = default) =>
        Done(AnyOf(messages, true, cancellationToken));

    /// <summary>Fails unless the next message is equal to one of these; gives it.</summary>
    public T ExpectMsgAnyOf<T>(params T[] messages) => ExpectMsgAnyOf((IEnumerable<T>)messages);

    /// <summary>Fails unless the next message is equal to one of these; gives it.</summary>
    public ValueTask<T> ExpectMsgAnyOfAsync<T>(
        IEnumerable<T> messages,
        CancellationToken cancellationToken = default
    ) => AnyOf(messages, false, cancellationToken);

    private async ValueTask<T> AnyOf<T>(IEnumerable<T> messages, bool block, CancellationToken token)
    {
        var max = RemainingOrDefault;
        var envelope = await NextEnvelope(max, false, block, token).ConfigureAwait(false);
        _assertions.AssertTrue(
            envelope is not null,
            "timeout ({0}) during expectMsgAnyOf waiting for ({1})",
            max,
            string.Join(",", messages)
        );
        var isOne = envelope.Message is T typed && messages.Contains(typed);
        _assertions.AssertTrue(isOne, "Found unexpected {0}", envelope);
        return (T)envelope.Message;
    }

    /// <summary>
    /// Fails unless the next messages, as many as are given, are equal to these in any order; gives them in the order
    /// in which they came. In time is what is left of Within, else akka.test.single-expect-default for all together.
    /// </summary>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(params T[] messages) =>
        Done(Collect(AllOf(RemainingOrDefault, messages, true, default)));

    /// <summary>
    /// Fails unless the next messages, as many as are given, are equal to these in any order; gives them in the order
    /// in which they came. In time is what is left of Within, else akka.test.single-expect-default for all together.
    /// </summary>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(
        IReadOnlyCollection<T> messages,
        CancellationToken cancellationToken = default
    ) => Done(Collect(AllOf(RemainingOrDefault, messages, true, cancellationToken)));

    /// <inheritdoc cref="ExpectMsgAllOf{T}(IReadOnlyCollection{T}, CancellationToken)"/>
    public IAsyncEnumerable<T> ExpectMsgAllOfAsync<T>(
        IReadOnlyCollection<T> messages,
        CancellationToken cancellationToken = default
    ) => AllOf(RemainingOrDefault, messages, false, cancellationToken);

    /// <summary>As <see cref="ExpectMsgAllOf{T}(T[])"/>, within this time for all together, dilated.</summary>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(TimeSpan max, params T[] messages) =>
        Done(Collect(AllOf(Dilated(max), messages, true, default)));

    /// <summary>As <see cref="ExpectMsgAllOf{T}(T[])"/>, within this time for all together, dilated.</summary>
    public IReadOnlyCollection<T> ExpectMsgAllOf<T>(
        TimeSpan max,
        IReadOnlyCollection<T> messages,
        CancellationToken cancellationToken = default
    ) => Done(Collect(AllOf(Dilated(max), messages, true, cancellationToken)));

    /// <summary>As <see cref="ExpectMsgAllOf{T}(T[])"/>, within this time for all together, dilated.</summary>
    public IAsyncEnumerable<T> ExpectMsgAllOfAsync<T>(
        TimeSpan max,
        IReadOnlyCollection<T> messages,
        CancellationToken cancellationToken = default
    ) => AllOf(Dilated(max), messages, false, cancellationToken);

    private async IAsyncEnumerable<T> AllOf<T>(
        TimeSpan max,
        IReadOnlyCollection<T> messages,
        bool block,
        [EnumeratorCancellation] CancellationToken token
    )
    {
        var received = new List<object>();
        await foreach (var message in Many(messages.Count, max, block, token).ConfigureAwait(false))
            received.Add(message);
        var missing = messages.Where(m => !received.Any(r => r is T typed && Equals(typed, m))).ToList();
        var unexpected = received.Where(r => r is not T typed || !messages.Contains(typed)).ToList();
        CheckAll(missing, unexpected);
        foreach (var message in received)
            yield return (T)message;
    }

    private void CheckAll<TMissing>(List<TMissing> missing, List<object> unexpected)
    {
        _assertions.AssertTrue(
            missing.Count == 0 && unexpected.Count == 0,
            "not found [{0}], found unexpected [{1}]",
            string.Join(", ", missing),
            string.Join(", ", unexpected)
        );
    }

    /// <summary>
    /// Fails unless of the next messages, as many as there are conditions, each meets one and each condition is met.
    /// </summary>
    public IReadOnlyCollection<object> ExpectMsgAllOfMatchingPredicates(params PredicateInfo[] predicates) =>
        Done(Collect(AllMatching(RemainingOrDefault, predicates, true, default)));

    /// <summary>
    /// Fails unless of the next messages, as many as there are conditions, each meets one and each condition is met.
    /// </summary>
    public IReadOnlyCollection<object> ExpectMsgAllOfMatchingPredicates(
        IReadOnlyCollection<PredicateInfo> predicates,
        CancellationToken cancellationToken
    ) => Done(Collect(AllMatching(RemainingOrDefault, predicates, true, cancellationToken)));

    /// <inheritdoc cref="ExpectMsgAllOfMatchingPredicates(IReadOnlyCollection{PredicateInfo}, CancellationToken)"/>
    public IAsyncEnumerable<object> ExpectMsgAllOfMatchingPredicatesAsync(
        IReadOnlyCollection<PredicateInfo> predicates,
        CancellationToken cancellationToken = default
    ) => AllMatching(RemainingOrDefault, predicates, false, cancellationToken);

    /// <summary>
    /// As <see cref="ExpectMsgAllOfMatchingPredicates(PredicateInfo[])"/>, within this time for all together, dilated.
    /// </summary>
    public IReadOnlyCollection<object> ExpectMsgAllOfMatchingPredicates(
        TimeSpan max,
        params PredicateInfo[] predicates
    ) => Done(Collect(AllMatching(Dilated(max), predicates, true, default)));

    /// <summary>
    /// As <see cref="ExpectMsgAllOfMatchingPredicates(PredicateInfo[])"/>, within this time for all together, dilated.
    /// </summary>
    public IReadOnlyCollection<object> ExpectMsgAllOfMatchingPredicates(
        TimeSpan max,
        IReadOnlyCollection<PredicateInfo> predicates,
        CancellationToken cancellationToken
    ) => Done(Collect(AllMatching(Dilated(max), predicates, true, cancellationToken)));

    /// <inheritdoc cref="ExpectMsgAllOfMatchingPredicates(TimeSpan, IReadOnlyCollection{PredicateInfo}, CancellationToken)"/>
    public IAsyncEnumerable<object> ExpectMsgAllOfMatchingPredicatesAsync(
        TimeSpan max,
        IReadOnlyCollection<PredicateInfo> predicates,
        CancellationToken cancellationToken = default
    ) => AllMatching(Dilated(max), predicates, false, cancellationToken);

    private async IAsyncEnumerable<object> AllMatching(
        TimeSpan max,
        IReadOnlyCollection<PredicateInfo> predicates,
        bool block,
        [EnumeratorCancellation] CancellationToken token
    )
    {
        var received = new List<object>();
        await foreach (var message in Many(predicates.Count, max, block, token).ConfigureAwait(false))
            received.Add(message);
        var missing = predicates.Where(p => !received.Any(p.Matches)).ToList();
        var unexpected = received.Where(r => !predicates.Any(p => p.Matches(r))).ToList();
        CheckAll(missing, unexpected);
        foreach (var message in received)
            yield return message;
    }
}

/// <summary>A condition on messages of one type.</summary>
public class PredicateInfo
{
    internal PredicateInfo(Type type, Delegate predicate)
    {
        Type = type;
        PredicateT = predicate;
    }

    /// <summary>The type that messages must be of.</summary>
    public Type Type { get; }

    /// <summary>What they must satisfy; takes one argument of the type.</summary>
    public Delegate PredicateT { get; }

    /// <summary>A condition on messages of this type.</summary>
    public static PredicateInfo Create<T>(Predicate<T> predicateT) => new(typeof(T), predicateT);

    internal bool Matches(object message) => Type.IsInstanceOfType(message) && (bool)PredicateT.DynamicInvoke(message);

    /// <inheritdoc/>
    public override string ToString() => "a matching " + Type.Name;
}

/// <summary>Makes conditions.</summary>
public static class PredicateInfoFactory
{
    /// <summary>A condition on messages of this type.</summary>
    public static PredicateInfo CreatePredicateInfo<T>(this Predicate<T> predicateT) => new(typeof(T), predicateT);

    /// <summary>A condition from a delegate that takes one argument of the type and says whether it fits.</summary>
    public static PredicateInfo CreatePredicateInfo<T>(this Delegate predicateT) => new(typeof(T), predicateT);
}
