using System.Collections;
using System.Globalization;
using System.Reflection;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>Events for people: the name and every field, arrays with their elements.</summary>
public static class EventText
{
    private const int ElementsShown = 16;

    /// <summary>Shows an event; <c>nothing</c> for null.</summary>
    public static string Of(ContextEvent? change)
    {
        if (change is null)
        {
            return "nothing";
        }

        var fields = change
            .GetType()
            .GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .OrderBy(p => p.MetadataToken)
            .Select(p => $"{p.Name} = {Value(p.GetValue(change))}");
        return $"{change.GetType().Name} {{ {string.Join(", ", fields)} }}";
    }

    private static string Value(object? value) =>
        value switch
        {
            null => "nothing",
            string text => text,
            ulong number => string.Create(CultureInfo.InvariantCulture, $"0x{number:x}"),
            IEnumerable many => Elements([.. many.Cast<object?>()]),
            IFormattable other => other.ToString(null, CultureInfo.InvariantCulture),
            _ => $"{value}",
        };

    private static string Elements(object?[] all)
    {
        var shown = string.Join(", ", all.Take(ElementsShown).Select(Value));
        return all.Length > ElementsShown ? $"[{shown}, … {all.Length} in all]" : $"[{shown}]";
    }
}
