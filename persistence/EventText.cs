using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>Events with every field, for messages about differences.</summary>
public static class EventText
{
    /// <summary>The name and the fields as JSON; <c>nothing</c> for null.</summary>
    public static string Of(ContextEvent? change) =>
        change is null ? "nothing" : $"{change.GetType().Name} {EventJson.FieldsOf(change).ToJsonString()}";
}
