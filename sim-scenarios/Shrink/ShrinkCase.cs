using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language.Sections;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Shrink;

/// <summary>
/// A scenario without loops, choices and parameters: for each client the steps that it runs, some of them in branches. Steps can be
/// taken out one by one. Immutable.
/// </summary>
internal sealed class ShrinkCase
{
    // The version, the title, and the deadline, without which a candidate that never ends would end the search.
    private const int NeededKeys = 3;

    private readonly MachinePlan _machine;
    private readonly IReadOnlyList<TreeEntry> _head;
    private readonly IReadOnlyList<TreeEntry> _tail;

    private ShrinkCase(
        MachinePlan machine,
        IReadOnlyList<TreeEntry> head,
        IReadOnlyList<TreeEntry> tail,
        IReadOnlyList<CaseClient> clients
    )
    {
        (_machine, _head, _tail, Clients) = (machine, head, tail, clients);
        Steps = [.. clients.SelectMany((c, i) => c.Body.Leaves(i, []))];
    }

    /// <summary>The clients; each has steps.</summary>
    public IReadOnlyList<CaseClient> Clients { get; }

    /// <summary>All steps, in the order of the text, with the way to each.</summary>
    public IReadOnlyList<PlacedStep> Steps { get; }

    /// <summary>Makes a case of what a run did.</summary>
    public static ShrinkCase Of(Scenario scenario, RunTrace trace)
    {
        var head = new List<TreeEntry>
        {
            TreeWriter.Entry("iommufd", TreeWriter.Scalar("1")),
            TreeWriter.Entry("title", TreeWriter.Scalar(scenario.Title)),
            TreeWriter.Entry("deadline", TreeWriter.Scalar("30s")),
        };
        if (scenario.CheckEvery is { } every)
        {
            head.Add(TreeWriter.Entry("check-every", TreeWriter.Scalar($"{every}")));
        }

        TreeMapping? expect = ExpectationOf(scenario);
        TreeEntry[] tail = expect is null ? [] : [TreeWriter.Entry("expect", expect)];
        CaseClient[] clients = [.. trace.Clients.Select((c, i) => ClientOf(c, i))];
        return new ShrinkCase(scenario.Machine, head, tail, [.. clients.Where(c => !c.Body.IsEmpty)]);
    }

    /// <summary>The case without some of its steps.</summary>
    public ShrinkCase Without(IReadOnlySet<CaseStep> gone) =>
        With([.. Clients.Select(c => c with { Body = c.Body.Without(gone) })]);

    /// <summary>The case with one step changed.</summary>
    public ShrinkCase Replace(CaseStep step, TreeNode by) =>
        With([.. Clients.Select(c => c with { Body = c.Body.Replace(step, by) })]);

    /// <summary>The case with the branches of its n-th client one after another; null where there are none.</summary>
    public ShrinkCase? Flatten(int client) =>
        Clients[client].Body.HasBranches
            ? With([.. Clients.Select((c, i) => i == client ? c with { Body = c.Body.Flattened() } : c)])
            : null;

    /// <summary>The case without the n-th of the keys that it can do without, or null.</summary>
    public ShrinkCase? WithoutKey(int index)
    {
        int removable = _head.Count - NeededKeys;
        if (index < removable)
        {
            return new ShrinkCase(_machine, [.. _head.Where((_, i) => i != NeededKeys + index)], _tail, Clients);
        }

        return index == removable && _tail.Count > 0 ? new ShrinkCase(_machine, _head, [], Clients) : null;
    }

    /// <summary>The same steps, with another title.</summary>
    public ShrinkCase Titled(string title) =>
        new(
            _machine,
            [_head[0], TreeWriter.Entry("title", TreeWriter.Scalar(title)), .. _head.Skip(2)],
            _tail,
            Clients
        );

    /// <summary>The scenario as text.</summary>
    public string ToText()
    {
        var root = new List<TreeEntry>(_head);
        if (Machine() is { } machine)
        {
            root.Add(TreeWriter.Entry("machine", machine));
        }

        root.Add(TreeWriter.Entry("clients", TreeWriter.List([.. Clients.Select(c => c.ToTree())])));
        root.AddRange(_tail);
        return TreeWriter.Write(TreeWriter.Mapping(root));
    }

    private ShrinkCase With(IReadOnlyList<CaseClient> clients) =>
        new(_machine, _head, _tail, [.. clients.Where(c => !c.Body.IsEmpty)]);

    private static CaseClient ClientOf(ClientTrace trace, int number)
    {
        Messages.Host.ProcessSpec process = trace.Client.Plan.Process(trace.Client.Scope);
        var keys = new List<TreeEntry> { TreeWriter.Entry("name", TreeWriter.Scalar($"client-{number}")) };
        if (process.RlimitMemlock != ulong.MaxValue)
        {
            keys.Add(
                TreeWriter.Entry("memlock", TreeWriter.Scalar(ConcreteStep.Number((Int128)process.RlimitMemlock)))
            );
        }

        if (!process.CapIpcLock)
        {
            keys.Add(TreeWriter.Entry("cap-ipc-lock", TreeWriter.Scalar("false")));
        }

        if (!process.CapSysResource)
        {
            keys.Add(TreeWriter.Entry("cap-sys-resource", TreeWriter.Scalar("false")));
        }

        return new CaseClient(keys, CaseBody.Of(trace.Main));
    }

    // What the steps still name: units keep their numbers, devices that nobody binds go.
    private TreeMapping? Machine()
    {
        var bound = new HashSet<string>(Steps.Select(s => s.Step.BoundDevice).OfType<string>(), StringComparer.Ordinal);
        DeviceSpec[] devices = [.. _machine.Devices().Where(d => bound.Contains(d.Name))];
        int units = devices.Length == 0 ? 0 : devices.Max(d => d.Unit) + 1;
        bool isPlain = _machine.Units.Take(units).All(u => u is { Format: "amd-v1", Aperture.Last: (1UL << 48) - 1 });
        var entries = new List<TreeEntry>();
        if (units > 1 || !isPlain)
        {
            entries.Add(TreeWriter.Entry("iommus", TreeWriter.List([.. _machine.Units.Take(units).Select(UnitOf)])));
        }

        if (devices.Length > 0)
        {
            entries.Add(TreeWriter.Entry("devices", TreeWriter.List([.. devices.Select(d => DeviceOf(d, devices))])));
        }

        return entries.Count == 0 ? null : TreeWriter.Mapping(entries);
    }

    private static TreeNode UnitOf(IommuSpec unit) =>
        TreeWriter.Mapping(
            TreeWriter.Entry("format", TreeWriter.Scalar(unit.Format)),
            TreeWriter.Entry("aperture", ConcreteStep.Range(unit.Aperture))
        );

    private static TreeNode DeviceOf(DeviceSpec device, DeviceSpec[] all)
    {
        var keys = new List<TreeEntry> { TreeWriter.Entry("name", TreeWriter.Scalar(device.Name)) };
        if (device.Unit != 0)
        {
            keys.Add(TreeWriter.Entry("iommu", TreeWriter.Scalar($"{device.Unit}")));
        }

        if (all.Count(d => d.Group == device.Group) > 1)
        {
            keys.Add(TreeWriter.Entry("group", TreeWriter.Scalar($"{device.Group}")));
        }

        if (device.ReservedRegions.Count > 0)
        {
            keys.Add(
                TreeWriter.Entry("reserved", TreeWriter.List([.. device.ReservedRegions.Select(ConcreteStep.Range)]))
            );
        }

        if (!device.DirtyTracking)
        {
            keys.Add(TreeWriter.Entry("dirty-tracking", TreeWriter.Scalar("false")));
        }

        if (device.MaxPasids > 0)
        {
            keys.Add(TreeWriter.Entry("pasids", TreeWriter.Scalar($"{device.MaxPasids}")));
        }

        return TreeWriter.Mapping(keys);
    }

    private static TreeMapping? ExpectationOf(Scenario scenario)
    {
        TreeMapping expect = Keys(scenario.Expect);
        return expect.Entries.Count == 0 ? null : expect;

        TreeMapping Keys(FieldValues values)
        {
            var entries = new List<TreeEntry>();
            foreach ((Field field, object value) in values.All)
            {
                TreeNode? node = value switch
                {
                    Comparison comparison => ConcreteStep.Comparison(comparison, scenario.Parameters),
                    FieldValues inner => Keys(inner),
                    IReadOnlyList<ErrnoCount> counts => TreeWriter.Mapping(
                        [
                            .. counts.Select(c =>
                                TreeWriter.Entry($"{c.Errno}", ConcreteStep.Comparison(c.Count, scenario.Parameters))
                            ),
                        ]
                    ),
                    _ => null,
                };
                if (node is not null)
                {
                    entries.Add(TreeWriter.Entry(field.Name, node));
                }
            }

            return TreeWriter.Mapping(entries);
        }
    }
}

/// <summary>A client of a case.</summary>
/// <param name="Keys">Everything but its steps.</param>
/// <param name="Body">Its steps.</param>
internal sealed record CaseClient(IReadOnlyList<TreeEntry> Keys, CaseBody Body)
{
    public TreeMapping ToTree() => TreeWriter.Mapping([.. Keys, TreeWriter.Entry("steps", Body.ToTree())]);
}
