using Iommufd.Core.PageTables;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>Collects what a dirty read reports.</summary>
internal sealed class DirtySpans : IDirtySink
{
    public List<(ulong Iova, ulong Length)> Spans { get; } = [];

    public void Report(ulong iova, ulong length) => Spans.Add((iova, length));
}
