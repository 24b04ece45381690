using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>
/// Tests that need tables to be reclaimed at once: readers of other tests, put aside by a busy machine inside a section, would hold
/// every reclamation of the process back.
/// </summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class AloneCollection
{
    public const string Name = "alone";
}
