using System.Reflection;
using System.Text;

namespace Hyperion;

/// <summary>Type names as they stand in payloads: namespace-qualified, with the assembly's simple name.</summary>
internal static class TypeNames
{
    private static readonly Assembly Core = typeof(object).Assembly;
    private static readonly string CoreName = Core.GetName().Name!;

    /// <summary>"Ns.Type, Assembly"; the base library's types end in ",%core%" instead of a version.</summary>
    public static string ShortName(Type type)
    {
        var name = new StringBuilder();
        Append(name, type);
        return name.ToString();
    }

    private static void Append(StringBuilder name, Type type)
    {
        AppendWithoutAssembly(name, type);
        name.Append(", ").Append(type.Assembly.GetName().Name);
        if (type.Assembly == Core)
        {
            name.Append(",%core%");
        }
    }

    private static void AppendWithoutAssembly(StringBuilder name, Type type)
    {
        if (type.IsArray)
        {
            AppendWithoutAssembly(name, type.GetElementType()!);
            name.Append('[').Append(',', type.GetArrayRank() - 1).Append(']');
            return;
        }

        if (!type.IsConstructedGenericType)
        {
            name.Append(type.FullName);
            return;
        }

        name.Append(type.GetGenericTypeDefinition().FullName).Append('[');
        var arguments = type.GetGenericArguments();
        for (var i = 0; i < arguments.Length; i++)
        {
            name.Append(i == 0 ? "[" : ",[");
            Append(name, arguments[i]);
            name.Append(']');
        }

        name.Append(']');
    }

    /// <summary>The name in the form that Type.GetType reads.</summary>
    public static string Loadable(string shortName) =>
        shortName
            .Replace("mscorlib,%core%", CoreName, StringComparison.Ordinal)
            .Replace("System.Private.CoreLib,%core%", CoreName, StringComparison.Ordinal);
}
