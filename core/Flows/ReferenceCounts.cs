using Iommufd.Core.Context;

namespace Iommufd.Core.Flows;

/// <summary>How often each object is held, counted anew from what holds it. Exact while no command runs (additions B.3).</summary>
public static class ReferenceCounts
{
    /// <summary>Objects whose count of users is not what their holders add up to.</summary>
    public static IEnumerable<(ContextObject Object, int Expected)> Wrong(ContextCore context)
    {
        var expected = new SortedDictionary<uint, int>();
        foreach (var live in context.Objects.Live)
        {
            expected[live.Id] = 1 + Own(live);
        }

        foreach (var live in context.Objects.Live)
        {
            foreach (var held in HeldBy(live))
            {
                expected[held.Id]++;
            }
        }

        foreach (var attachment in context.Groups.SelectMany(g => g.Attachments.Values))
        {
            expected[attachment.Hwpt.Id] += attachment.Devices.Count;
            foreach (var device in attachment.Devices)
            {
                expected[device]++;
            }
        }

        return context.Objects.Live.Where(o => o.Users != expected[o.Id]).Select(o => (o, expected[o.Id]));
    }

    // Drivers and descriptors.
    private static int Own(ContextObject live) =>
        live switch
        {
            DeviceObject or AccessObject => 1,
            FaultObject { DescriptorOpen: true } or VeventqObject { DescriptorOpen: true } => 1,
            ViommuObject { Window: { } window } => window.Mappings,
            _ => 0,
        };

    private static IEnumerable<ContextObject> HeldBy(ContextObject live) =>
        live switch
        {
            HwptObject { Fault: { } fault } hwpt => [hwpt.Ioas, fault],
            HwptObject hwpt => [hwpt.Ioas],
            NestedHwptObject { Fault: { } fault } nested => [nested.Holds, fault],
            NestedHwptObject nested => [nested.Holds],
            AccessObject { Ioas: { } ioas } => [ioas],
            ViommuObject viommu => [viommu.Parent],
            VdeviceObject vdevice => [vdevice.Viommu, vdevice.Device],
            VeventqObject veventq => [veventq.Viommu],
            HwQueueObject { Previous: { } previous } queue => [queue.Viommu, previous],
            HwQueueObject queue => [queue.Viommu],
            _ => [],
        };
}
