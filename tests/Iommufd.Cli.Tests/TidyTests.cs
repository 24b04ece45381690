using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Iommufd.Cli.Tests;

/// <summary>Keeps the tree clean: what documents name exists, files stay small, no path of somebody's machine is left behind.</summary>
public sealed partial class TidyTests
{
    private const int MaxSourceLines = 500;
    private const int MaxBlobBytes = 1 << 20;

    private static readonly string Root = FindRoot();

    public static TheoryData<string> Documents
    {
        get
        {
            var documents = new TheoryData<string>();
            foreach (string file in Tracked().Where(f => f.EndsWith(".md", StringComparison.Ordinal)))
            {
                if (!file.StartsWith("tests/conformance/", StringComparison.Ordinal))
                {
                    documents.Add(file);
                }
            }

            return documents;
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Every_link_of_a_document_leads_somewhere(string document)
    {
        string folder = Path.GetDirectoryName(Path.Combine(Root, document))!;
        foreach (Match link in Link().Matches(File.ReadAllText(Path.Combine(Root, document))))
        {
            string target = link.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.Length == 0)
            {
                continue;
            }

            string path = Path.GetFullPath(Path.Combine(folder, target));
            Assert.True(File.Exists(path) || Directory.Exists(path), $"{document} links to {target}");
        }
    }

    [Fact]
    public void Every_file_that_how_to_add_an_ioctl_names_exists()
    {
        string text = File.ReadAllText(Path.Combine(Root, "docs", "how-to-add-an-ioctl.md"));
        List<string> named =
        [
            .. Quoted()
                .Matches(text)
                .Select(m => m.Groups[1].Value)
                .Where(n => n.Contains('/', StringComparison.Ordinal)),
        ];
        Assert.True(named.Count > 10);
        foreach (string name in named)
        {
            string path = Path.Combine(Root, name);
            Assert.True(File.Exists(path) || Directory.Exists(path), $"docs/how-to-add-an-ioctl.md names {name}");
        }
    }

    [Fact]
    public void The_readme_has_exactly_the_two_commands_that_ci_runs()
    {
        string readme = File.ReadAllText(Path.Combine(Root, "README.md"));
        string ci = File.ReadAllText(Path.Combine(Root, ".ci", "run"));
        List<string> commands = [.. Shell().Matches(readme).Select(m => m.Groups[1].Value.Trim())];
        Assert.Equal(2, commands.Count);
        foreach (string command in commands)
        {
            Assert.Contains(command, ci, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Source_files_are_small_enough_to_read()
    {
        foreach (string file in Tracked().Where(f => f.EndsWith(".cs", StringComparison.Ordinal)))
        {
            int lines = File.ReadLines(Path.Combine(Root, file)).Count();
            Assert.True(lines <= MaxSourceLines, $"{file} has {lines} lines");
        }
    }

    [Fact]
    public void No_file_is_a_blob()
    {
        foreach (string file in Tracked())
        {
            long bytes = new FileInfo(Path.Combine(Root, file)).Length;
            Assert.True(bytes <= MaxBlobBytes, $"{file} has {bytes} bytes");
        }
    }

    [Fact]
    public void No_source_or_document_names_a_path_of_a_machine()
    {
        foreach (string file in Tracked().Where(IsText))
        {
            foreach (string line in File.ReadLines(Path.Combine(Root, file)))
            {
                Assert.False(MachinePath().IsMatch(line), $"{file}: {line.Trim()}");
            }
        }
    }

    [Fact]
    public void Nothing_outside_the_runtime_is_compiled_conditionally()
    {
        foreach (string file in Tracked().Where(f => f.EndsWith(".cs", StringComparison.Ordinal)))
        {
            if (
                file.StartsWith("akka-compat/", StringComparison.Ordinal)
                || file.EndsWith("/ActorRuntime.cs", StringComparison.Ordinal)
            )
            {
                continue;
            }

            Assert.DoesNotContain(
                File.ReadLines(Path.Combine(Root, file)),
                l => l.TrimStart().StartsWith("#if", StringComparison.Ordinal)
            );
        }
    }

    private static bool IsText(string file) =>
        !file.StartsWith("tests/conformance/traces/", StringComparison.Ordinal)
        && Path.GetExtension(file)
            is ".cs"
                or ".md"
                or ".yaml"
                or ".csproj"
                or ".props"
                or ".targets"
                or ".json"
                or ".sln";

    private static IEnumerable<string> Tracked()
    {
        var git = new ProcessStartInfo("git", ["ls-files"]) { WorkingDirectory = Root, RedirectStandardOutput = true };
        using Process listing = Process.Start(git)!;
        string[] files = listing.StandardOutput.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        listing.WaitForExit();
        return files.Where(f => File.Exists(Path.Combine(Root, f)));
    }

    private static string FindRoot()
    {
        DirectoryInfo? at = new(AppContext.BaseDirectory);
        while (at is not null && !File.Exists(Path.Combine(at.FullName, "Iommufd.sln")))
        {
            at = at.Parent;
        }

        return at?.FullName ?? throw new DirectoryNotFoundException("Iommufd.sln");
    }

    [GeneratedRegex(@"\]\(([^)#]*)(?:#[^)]*)?\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([A-Za-z.-]+/[A-Za-z./-]*)`")]
    private static partial Regex Quoted();

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Shell();

    // A home folder or the build machine's work folder, spelt so that this line is not one.
    [GeneratedRegex("/(?:home|roo[t]|wor[k])/[a-z]")]
    private static partial Regex MachinePath();
}
