using Iommufd.Messages.Events;

namespace Iommufd.Persistence.Tests;

/// <summary>An event of any type, every field with a value of its own.</summary>
internal static class SampleEvents
{
    /// <summary>Makes one.</summary>
    public static ContextEvent Of(Type type)
    {
        var parameters = type.GetConstructors()
            .Single(c => c.GetParameters() is not [{ } only] || only.ParameterType != type);
        var values = parameters.GetParameters().Select((p, i) => Value(p.ParameterType, i + 1)).ToArray();
        return (ContextEvent)parameters.Invoke(values);
    }

    private static object Value(Type type, int number) =>
        type switch
        {
            _ when type == typeof(int) => number,
            _ when type == typeof(long) => (long)number,
            _ when type == typeof(uint) => (uint)number,
            _ when type == typeof(ulong) => 0xf000_0000_0000_0000 + (ulong)number,
            _ when type == typeof(bool) => number % 2 == 1,
            _ when type == typeof(string) => "name, \"quoted\" " + number,
            _ when type == typeof(byte[]) => new byte[] { 1, (byte)number },
            _ when type == typeof(int[]) => new[] { 3, number },
            _ when type == typeof(uint[]) => new[] { 4u, (uint)number },
            _ when type == typeof(ulong[]) => new[] { 5ul, (ulong)number },
            _ when type == typeof(string[]) => new[] { "a", "b" + number },
            _ => throw new NotSupportedException($"{type} is not sampled"),
        };
}
