namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>Where the recorded traces are.</summary>
internal static class TraceFolder
{
    public static string Path { get; } = Find();

    public static string Designed(string name) => System.IO.Path.Combine(Path, "designed", $"{name}.jsonl");

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string traces = System.IO.Path.Combine(folder.FullName, "tests", "conformance", "traces");
            if (Directory.Exists(traces))
            {
                return traces;
            }
        }

        throw new DirectoryNotFoundException("tests/conformance/traces is not above the test's folder.");
    }
}
