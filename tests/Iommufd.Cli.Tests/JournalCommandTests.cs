using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Iommufd.Cli.Tests;

/// <summary>diff, explain, export, import: what they print, and that what is damaged is refused and left as it is.</summary>
public sealed class JournalCommandTests : IDisposable
{
    private static readonly Lazy<byte[]> SmallJournal = new(WriteSmall);
    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-cli-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    public static TheoryData<string, string> Damaged()
    {
        var cases = new TheoryData<string, string>();
        foreach (string command in new[] { "replay", "inspect", "diff", "explain", "export" })
        {
            foreach (
                string damage in new[] { "missing", "text", "foreign", "cut", "scribbled", "newer", "gap", "alien" }
            )
            {
                cases.Add(command, damage);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Damaged))]
    public void What_is_damaged_is_refused_and_left_as_it_is(string command, string damage)
    {
        string journal = Damage(damage);
        byte[]? before = File.Exists(journal) ? SHA256.HashData(File.ReadAllBytes(journal)) : null;
        CliRun run = CliRun.Of(Line(command, journal));
        if (damage == "gap" && command == "export")
        {
            // Rows are written as they are; an import of them says what is missing.
            Assert.Equal(ExitCode.Success, run.ExitCode);
            return;
        }

        if (damage == "gap" && command is "diff" or "explain" && run.ExitCode != ExitCode.BadInput)
        {
            return;
        }

        Assert.True(run.ExitCode == ExitCode.BadInput, $"{run.ExitCode}: {run.Out} {run.Error}");
        Assert.StartsWith($"{journal}:1:1: error: ", run.Error, StringComparison.Ordinal);
        Assert.Empty(run.Out);
        Assert.Equal(before, File.Exists(journal) ? SHA256.HashData(File.ReadAllBytes(journal)) : null);
    }

    [Theory]
    [InlineData("replay")]
    [InlineData("inspect")]
    [InlineData("diff")]
    [InlineData("explain")]
    [InlineData("export")]
    public void An_empty_file_is_a_journal_of_no_events(string command)
    {
        File.WriteAllBytes(At("empty.db"), []);
        CliRun run = CliRun.Of(Line(command, At("empty.db")));
        Assert.True(run.ExitCode == ExitCode.Success, run.Error);
    }

    [Theory]
    [InlineData("jsonl")]
    [InlineData("csv")]
    public void What_was_exported_comes_back(string format)
    {
        Small("a.db");
        CliRun export = CliRun.Of("export", At("a.db"), "--format", format, "--out", At("a.txt"));
        Assert.True(export.ExitCode == ExitCode.Success, export.Error);
        CliRun import = CliRun.Of("import", At("a.txt"), "--journal", At("b.db"));
        Assert.True(import.ExitCode == ExitCode.Success, import.Error);
        Assert.Equal("the same events", CliRun.Of("diff", At("a.db"), At("b.db")).Out.Trim());
    }

    [Fact]
    public void An_import_does_not_write_over_a_journal()
    {
        Small("a.db");
        CliRun.Of("export", At("a.db"), "--out", At("a.txt"));
        CliRun import = CliRun.Of("import", At("a.txt"), "--journal", At("a.db"));
        Assert.Equal(ExitCode.BadInput, import.ExitCode);
        Assert.StartsWith($"{At("a.db")}:1:1: error: ", import.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mistake_in_a_text_is_named_with_its_place_and_what_would_be_right()
    {
        Small("a.db");
        CliRun.Of("export", At("a.db"), "--out", At("a.txt"));
        string[] lines = File.ReadAllLines(At("a.txt"));
        int at = Array.FindIndex(lines, l => l.Contains("\"AreaMapped\"", StringComparison.Ordinal));
        lines[at] = lines[at].Replace("AreaMapped", "AreaMaped", StringComparison.Ordinal);
        File.WriteAllLines(At("a.txt"), lines);
        CliRun import = CliRun.Of("import", At("a.txt"), "--journal", At("b.db"));
        Assert.Equal(ExitCode.BadInput, import.ExitCode);
        Assert.StartsWith(
            $"{At("a.txt")}:{at + 1}:1: error: unknown event 'AreaMaped'; did you mean 'AreaMapped'?",
            import.Error,
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(At("b.db")));
    }

    [Fact]
    public void A_context_becomes_a_trace_that_agrees()
    {
        File.WriteAllText(
            At("s.yaml"),
            """
            iommufd: 1
            title: t
            machine:
              iommus: [{format: amd-v1}]
              devices: [{name: nic}]
            clients:
              - name: c
                steps:
                  - memory: {as: ram, size: 64K}
                  - ioas-alloc: guest
                  - map: {ioas: guest, memory: ram, length: 32K, iova: 16M, as: low}
                  - bind: {device: nic, as: nic}
                  - attach: {device: nic, to: guest}
                  - map: {ioas: guest, memory: ram, offset: 32K, length: 32K, iova: 17M, as: high}
                  - unmap: low
                  - detach: nic
                  - unbind: nic
                  - unmap: {ioas: guest}
                  - destroy: guest
            """
        );
        CliRun run = CliRun.Of("run", At("s.yaml"), "--seed", "1", "--journal", At("a.db"));
        Assert.True(run.ExitCode == ExitCode.Success, run.Out + run.Error);
        CliRun export = CliRun.Of("export", At("a.db"), "--format", "trace", "--out", At("a.jsonl"));
        Assert.True(export.ExitCode == ExitCode.Success, export.Error);
        CliRun conform = CliRun.Of("conform", At("a.jsonl"), "--output", "json");
        Assert.True(conform.ExitCode == ExitCode.Success, conform.Out);
        Assert.Equal(8, (int)conform.Json()["steps"]!);
        CliRun import = CliRun.Of("import", At("a.jsonl"), "--format", "trace", "--journal", At("b.db"));
        Assert.True(import.ExitCode == ExitCode.Success, import.Error);
        Assert.Equal(ExitCode.Success, CliRun.Of("replay", At("b.db"), "--verify").ExitCode);
    }

    [Fact]
    public void What_the_format_has_no_words_for_is_named()
    {
        Fleet("a.db");
        CliRun export = CliRun.Of("export", At("a.db"), "--context", "1", "--format", "trace", "--out", At("a.jsonl"));
        Assert.Equal(ExitCode.BadInput, export.ExitCode);
        Assert.Contains("of iommufd-1: ", export.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(At("a.jsonl")));
    }

    [Fact]
    public void A_trace_is_of_one_context()
    {
        Small("a.db");
        CliRun export = CliRun.Of("export", At("a.db"), "--format", "trace");
        Assert.Equal(ExitCode.BadInput, export.ExitCode);
        Assert.Contains("choose one with --context", export.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_is_told_from_its_map_to_the_close()
    {
        Fleet("a.db");
        JsonObject story = CliRun.Of("explain", At("a.db"), "--iova", "0x100000", "--output", "json").Json();
        JsonArray events = story["contexts"]![0]!["events"]!.AsArray();
        Assert.Equal("AreaMapped", (string)events[0]!["type"]!);
        Assert.Contains("in no table yet", (string)events[0]!["text"]!, StringComparison.Ordinal);
        Assert.Contains(events, e => ((string)e!["text"]!).Contains("frame pfn:", StringComparison.Ordinal));
        Assert.Equal("ContextClosed", (string)events[^1]!["type"]!);
        Assert.Equal("it is not mapped", (string)story["contexts"]![0]!["now"]!);
    }

    [Fact]
    public void An_object_is_told_from_its_making_to_its_end()
    {
        Fleet("a.db");
        string text = CliRun.Of("explain", At("a.db"), "--object", "2").Out;
        Assert.Contains("device 2 is dev-0: it was bound", text, StringComparison.Ordinal);
        Assert.Contains("device 2 was unbound", text, StringComparison.Ordinal);
        Assert.Contains("at the end: it is gone: the last was device", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("explain", "a.db")]
    [InlineData("explain", "a.db", "--iova", "1", "--object", "2")]
    [InlineData("explain", "a.db", "--iova", "here")]
    public void Explain_asks_for_one_thing(params string[] line)
    {
        Small("a.db");
        line[1] = At(line[1]);
        CliRun run = CliRun.Of(line);
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.StartsWith("iommufd: error: ", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Diff_shows_the_objects_that_differ()
    {
        Small("a.db");
        File.Copy(At("a.db"), At("b.db"));
        Sql("b.db", "DELETE FROM event_journal WHERE ordering > 20");
        JsonObject first = CliRun.Of("diff", At("a.db"), At("b.db"), "--output", "json").Json()["first"]!.AsObject();
        Assert.Equal("nothing", (string)first["theirs"]!);
        Assert.Equal(21, (int)first["ourRow"]!);
        Assert.NotEmpty(first["objects"]!.AsArray());
    }

    private static byte[] WriteSmall()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("iommufd-cli-");
        string path = Path.Combine(folder.FullName, "small.db");
        string[] small = ["--seed", "3", "--set", "rounds=2", "--set", "ram=2M"];
        CliRun run = CliRun.Of(["run", "quickstart", .. small, "--journal", path]);
        Assert.True(run.ExitCode == ExitCode.Success, run.Error);
        byte[] bytes = File.ReadAllBytes(path);
        folder.Delete(recursive: true);
        return bytes;
    }

    private static string[] Line(string command, string journal) =>
        command switch
        {
            "diff" => ["diff", journal, journal],
            "explain" => ["explain", journal, "--object", "1"],
            _ => [command, journal],
        };

    private string Damage(string kind)
    {
        string journal = At("damaged.db");
        switch (kind)
        {
            case "missing":
                return At("nowhere.db");
            case "text":
                File.WriteAllText(journal, "hello, this is no journal");
                return journal;
            case "foreign":
                Sql("damaged.db", "CREATE TABLE other (a INTEGER); INSERT INTO other VALUES (1)");
                return journal;
        }

        Small("damaged.db");
        Sql("damaged.db", "PRAGMA journal_mode = delete");
        switch (kind)
        {
            case "cut":
                using (FileStream file = File.Open(journal, FileMode.Open))
                {
                    file.SetLength(file.Length / 2);
                }

                break;
            case "scribbled":
                byte[] bytes = File.ReadAllBytes(journal);
                bytes.AsSpan(4096, bytes.Length - 8192).Fill(0xa5);
                File.WriteAllBytes(journal, bytes);
                break;
            case "newer":
                Sql("damaged.db", "UPDATE event_journal SET payload = x'fee8030102' WHERE ordering = 9");
                break;
            case "alien":
                Sql("damaged.db", "UPDATE event_journal SET payload = 'text' WHERE ordering = 9");
                break;
            default:
                Sql("damaged.db", "DELETE FROM event_journal WHERE ordering = 9");
                break;
        }

        return journal;
    }

    private void Sql(string name, string text)
    {
        using var connection = new SqliteConnection($"Data Source={At(name)};Pooling=False");
        connection.Open();
        using SqliteCommand command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    // The same run for all of them: what it wrote is copied.
    private void Small(string name) => File.WriteAllBytes(At(name), SmallJournal.Value);

    private void Fleet(string name)
    {
        string[] small =
        [
            "--set",
            "vms=1",
            "--set",
            "devices=2",
            "--set",
            "bursts=1",
            "--set",
            "low=2M",
            "--set",
            "high=2M",
        ];
        CliRun run = CliRun.Of(["run", "vm-fleet", "--seed", "3", .. small, "--journal", At(name)]);
        Assert.True(run.ExitCode == ExitCode.Success, run.Error);
    }

    private string At(string name) => Path.Combine(_directory, name);
}
