using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Language.Sections;

/// <summary>The keys of a client.</summary>
internal static class ClientKeys
{
    public static readonly IndexField Index = new("index", "A name for the client's number, from 0.");
    public static readonly NumberField Count = new("count", "How many such clients; 1 when left out.")
    {
        Maximum = 10_000_000,
    };
    public static readonly PlainNameField Name = new(
        "name",
        "The process's name; with its index when there are several."
    )
    {
        IsRequired = true,
    };
    public static readonly NumberField AtOnce = new(
        "at-once",
        "How many of them run at the same time; all when left out."
    )
    {
        Minimum = 1,
    };
    public static readonly NumberField Memlock = new("memlock", "RLIMIT_MEMLOCK in bytes; unlimited when left out.");
    public static readonly FlagField IpcLock = new("cap-ipc-lock", "Whether it has CAP_IPC_LOCK; true when left out.");
    public static readonly FlagField SysResource = new(
        "cap-sys-resource",
        "Whether it has CAP_SYS_RESOURCE; true when left out."
    );
    public static readonly StepsField Steps = new("steps", "What it does.") { IsRequired = true };

    public static readonly ListField<FieldValues> Clients = new(new ClientField()) { IsRequired = true };
}

/// <summary>One entry of <c>clients</c>: objects are named within it.</summary>
internal sealed class ClientField()
    : Field<FieldValues>("clients", "The processes that open /dev/iommu and what they do.")
{
    private static readonly IReadOnlyList<Field> Fields =
    [
        ClientKeys.Index,
        ClientKeys.Count,
        ClientKeys.Name,
        ClientKeys.AtOnce,
        ClientKeys.Memlock,
        ClientKeys.IpcLock,
        ClientKeys.SysResource,
        LimitKeys.OpenFiles,
        ClientKeys.Steps,
    ];

    public override string Expects => "a mapping with name and steps";

    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeMapping mapping)
        {
            return Wrong(node, context);
        }

        ReadContext own = context.ForClient();
        FieldValues values = FieldReader.Read(mapping, Fields, own);
        own.Objects.CheckUses(context.Mistakes);
        return values;
    }

    public override void Check(object value, CheckContext context) => ((FieldValues)value).Check(context);

    public override JsonObject Schema() => FieldReader.SchemaOf(Fields);
}
