namespace Iommufd.Core.Faults;

/// <summary>An actor dies because a fault plan wants it to.</summary>
/// <param name="point">The fault point.</param>
public sealed class InjectedCrashException(FaultPoint point) : Exception($"injected: {point.Name}");
