using System.Collections.Concurrent;
using System.Globalization;
using System.Linq.Expressions;
using System.Reflection;

namespace Akka.Actor;

/// <summary>Makes the instances of one Props; the constructor is looked up once.</summary>
internal sealed class ActorFactory
{
    // An invoker compiles a method of its own when it is used for the second time: one for all Props of a constructor, not one each.
    // Held for good: the runtime gives a constructor another object once the first was collected.
    private static readonly ConcurrentDictionary<ConstructorInfo, ConstructorInvoker> Invokers = new();

    private readonly object[] _arguments;
    private readonly IIndirectActorProducer _producer;
    private ConstructorInvoker _invoker;

    private ActorFactory(Type type, object[] arguments, ConstructorInvoker invoker, IIndirectActorProducer producer)
    {
        ActorType = type;
        _arguments = arguments;
        _invoker = invoker;
        _producer = producer;
    }

    internal Type ActorType { get; }

    internal static ActorFactory ForType(Type type, object[] arguments)
    {
        if (type is null)
            throw new ArgumentNullException(nameof(type), "Props must be instantiated with an actor type.");
        return typeof(IIndirectActorProducer).IsAssignableFrom(type)
            ? ForProducer((IIndirectActorProducer)Activator.CreateInstance(type, arguments))
            : new ActorFactory(type, arguments ?? [], null, null);
    }

    internal static ActorFactory ForConstructor(ConstructorInfo constructor, Type type, object[] arguments) =>
        new(type, arguments, constructor is null ? null : InvokerOf(constructor), null);

    internal static ActorFactory ForProducer(IIndirectActorProducer producer) =>
        new(producer.ActorType, [], null, producer);

    internal ActorBase Produce()
    {
        if (_producer is not null)
            return _producer.Produce();
        var invoker = _invoker ??= InvokerOf(Find(ActorType, _arguments));
        return (ActorBase)(
            _arguments.Length switch
            {
                0 => invoker.Invoke(),
                1 => invoker.Invoke(_arguments[0]),
                2 => invoker.Invoke(_arguments[0], _arguments[1]),
                3 => invoker.Invoke(_arguments[0], _arguments[1], _arguments[2]),
                _ => invoker.Invoke(_arguments.AsSpan()),
            }
        );
    }

    internal void Release(ActorBase actor) => _producer?.Release(actor);

    private static ConstructorInvoker InvokerOf(ConstructorInfo constructor) =>
        Invokers.GetOrAdd(constructor, ConstructorInvoker.Create);

    private static ConstructorInfo Find(Type type, object[] arguments)
    {
        var all = type.GetConstructors(BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic);
        var fitting = all.Where(c => Fits(c, arguments)).ToArray();
        if (fitting.Length == 0)
        {
            var given = string.Join(", ", arguments.Select(a => a?.GetType().Name ?? "null"));
            throw new MissingMethodException(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Actor {type.FullName} has no constructor for the {arguments.Length} argument(s) ({given})."
                )
            );
        }
        // The most exact one: fewest parameters that are wider than what was given.
        return fitting
            .OrderBy(c => c.GetParameters().Where((p, i) => p.ParameterType != arguments[i]?.GetType()).Count())
            .First();
    }

    private static bool Fits(ConstructorInfo constructor, object[] arguments)
    {
        var parameters = constructor.GetParameters();
        if (parameters.Length != arguments.Length)
            return false;
        for (var i = 0; i < parameters.Length; i++)
        {
            var type = parameters[i].ParameterType;
            var fits = arguments[i] is null
                ? !type.IsValueType || Nullable.GetUnderlyingType(type) is not null
                : type.IsInstanceOfType(arguments[i]);
            if (!fits)
                return false;
        }
        return true;
    }
}

/// <summary>Evaluates the arguments of a constructor expression.</summary>
internal static class ExpressionValue
{
    internal static object Of(Expression expression)
    {
        switch (expression)
        {
            case ConstantExpression constant:
                return constant.Value;
            case MemberExpression { Member: FieldInfo field } member:
                return field.GetValue(member.Expression is null ? null : Of(member.Expression));
            case UnaryExpression { NodeType: ExpressionType.Convert } convert
                when convert.Operand.Type.IsAssignableTo(convert.Type) && convert.Method is null:
                return Of(convert.Operand);
            default:
                return Expression
                    .Lambda<Func<object>>(Expression.Convert(expression, typeof(object)))
                    .Compile(preferInterpretation: true)();
        }
    }
}
