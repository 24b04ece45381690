using Iommufd.Scenarios.Language.Expressions;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>The kinds of object that a client names with <c>as</c> and uses by that name.</summary>
public enum ObjectKind
{
    /// <summary>An IOAS.</summary>
    Ioas,

    /// <summary>A HWPT that the client allocated.</summary>
    Hwpt,

    /// <summary>A bound device.</summary>
    Device,

    /// <summary>An access.</summary>
    Access,

    /// <summary>Pages pinned through an access.</summary>
    Pin,

    /// <summary>Memory of the process.</summary>
    Memory,

    /// <summary>A mapped area of an IOAS.</summary>
    Area,

    /// <summary>DMA that runs in the background.</summary>
    Dma,

    /// <summary>A memory file.</summary>
    File,

    /// <summary>Another process of the client.</summary>
    Process,

    /// <summary>A fault queue.</summary>
    FaultQueue,

    /// <summary>A vIOMMU.</summary>
    Viommu,

    /// <summary>A vDEVICE.</summary>
    Vdevice,

    /// <summary>An event queue of a vIOMMU.</summary>
    Veventq,

    /// <summary>A hardware queue.</summary>
    HwQueue,

    /// <summary>Page tables that a guest keeps.</summary>
    GuestTable,

    /// <summary>A bitmap of dirty pages.</summary>
    Bitmap,

    /// <summary>A virtual machine whose table devices can share.</summary>
    Guest,

    /// <summary>An open VFIO device.</summary>
    Vfio,

    /// <summary>A mapped window of the iommufd.</summary>
    Window,
}

/// <summary>
/// Collects which names a client gives and uses, and the devices that the machine has, so that a use of a name that
/// nothing ever gets is found before anything runs. Computed parts of a name match anything.
/// </summary>
public sealed class ObjectNames
{
    private readonly List<(ObjectKind Kind, Template Name)> _given = [];
    private readonly List<(IReadOnlyList<ObjectKind> Kinds, Template Name)> _used = [];
    private readonly List<Template> _usedDevices = [];
    private readonly List<Template> _machineDevices;

    /// <summary>Starts with a machine without devices.</summary>
    public ObjectNames()
        : this([]) { }

    private ObjectNames(List<Template> machineDevices) => _machineDevices = machineDevices;

    /// <summary>Names of another client on the same machine.</summary>
    public ObjectNames ForClient() => new(_machineDevices);

    /// <summary>The machine has devices of this name.</summary>
    public void AddMachineDevice(Template name) => _machineDevices.Add(name);

    /// <summary>A step names an object.</summary>
    public void Give(ObjectKind kind, Template name) => _given.Add((kind, name));

    /// <summary>A step uses an object.</summary>
    public void Use(IReadOnlyList<ObjectKind> kinds, Template name) => _used.Add((kinds, name));

    /// <summary>A step uses a device of the machine.</summary>
    public void UseMachineDevice(Template name) => _usedDevices.Add(name);

    /// <summary>Notes every use that can never find its object.</summary>
    public void CheckUses(MistakeCollector mistakes)
    {
        foreach ((IReadOnlyList<ObjectKind> kinds, Template name) in _used)
        {
            if (!_given.Exists(g => kinds.Contains(g.Kind) && g.Name.CanEqual(name)))
            {
                mistakes.Add(name.At, Unknown(kinds, name));
            }
        }

        foreach (Template name in _usedDevices)
        {
            if (!_machineDevices.Exists(d => d.CanEqual(name)))
            {
                string hint = NearestWord.Hint(name.Text, [.. _machineDevices.Select(d => d.Text)]);
                mistakes.Add(name.At, $"the machine has no device '{name}'{hint}");
            }
        }
    }

    private string Unknown(IReadOnlyList<ObjectKind> kinds, Template name)
    {
        string[] words = [.. kinds.Select(WordOf)];
        string wanted = words.Length > 1 ? $"{string.Join(", ", words[..^1])} or {words[^1]}" : words[0];
        (ObjectKind Kind, Template Name) other = _given.Find(g => g.Name.CanEqual(name));
        if (other.Name is not null)
        {
            return $"'{name}' is {WordOf(other.Kind)}, and {wanted} is needed here";
        }

        string[] candidates = [.. _given.Where(g => kinds.Contains(g.Kind)).Select(g => g.Name.Text).Distinct()];
        return $"no step of this client names {wanted} '{name}'{NearestWord.Hint(name.Text, candidates)}";
    }

    private static string WordOf(ObjectKind kind) =>
        kind switch
        {
            ObjectKind.Ioas => "an IOAS",
            ObjectKind.Hwpt => "a HWPT",
            ObjectKind.Device => "a bound device",
            ObjectKind.Access => "an access",
            ObjectKind.Pin => "a pin",
            ObjectKind.Memory => "memory",
            ObjectKind.Area => "an area",
            ObjectKind.Dma => "a DMA",
            ObjectKind.File => "a file",
            ObjectKind.Process => "a process",
            ObjectKind.FaultQueue => "a fault queue",
            ObjectKind.Viommu => "a vIOMMU",
            ObjectKind.Vdevice => "a vDEVICE",
            ObjectKind.Veventq => "an event queue",
            ObjectKind.HwQueue => "a hardware queue",
            ObjectKind.GuestTable => "a guest table",
            ObjectKind.Guest => "a virtual machine",
            ObjectKind.Vfio => "an open VFIO device",
            ObjectKind.Window => "a mapped window",
            _ => "a bitmap",
        };
}
