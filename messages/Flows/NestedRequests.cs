namespace Iommufd.Messages.Flows;

/// <summary>Zeroes words of the selftest's caches: of a nested HWPT's IOTLB, or of a mock device.</summary>
/// <param name="Mask">Bit n is word n, 0 to 3.</param>
public sealed record ZeroWords(uint Mask) : FlowRequest;

/// <summary>Compares a word of the selftest's caches. EINVAL for another value or a word that is not there.</summary>
/// <param name="Word">0 to 3.</param>
/// <param name="Value">The value expected.</param>
public sealed record CheckWord(uint Word, uint Value) : FlowRequest;
