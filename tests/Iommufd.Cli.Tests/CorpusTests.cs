using Iommufd.Messages.Events;

namespace Iommufd.Cli.Tests;

/// <summary>Journals of every event type and version, as they were written then, replay to the digests that were recorded then.</summary>
public sealed class CorpusTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-corpus-").FullName;

    public static TheoryData<string> Journals =>
        new(
            Directory
                .EnumerateFiles(CorpusMaker.Folder, "*.csv", SearchOption.AllDirectories)
                .Select(f => Path.GetRelativePath(CorpusMaker.Folder, f))
                .Order(StringComparer.Ordinal)
        );

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [MemberData(nameof(Journals))]
    public void A_journal_of_the_corpus_replays_to_its_recorded_digest(string name)
    {
        string journal = Path.Combine(_directory, "a.db");
        CliRun import = CliRun.Of("import", Path.Combine(CorpusMaker.Folder, name), "--journal", journal);
        Assert.True(import.ExitCode == ExitCode.Success, import.Error);
        CliRun replay = CliRun.Of("replay", journal, "--verify", "--output", "json");
        Assert.True(replay.ExitCode == ExitCode.Success, replay.Error + replay.Out);
        Assert.True((int)replay.Json()["verified"]! > 0);
        CliRun then = CliRun.Of("inspect", journal, "--output", "json");
        Assert.Equal((string)replay.Json()["state"]!["digest"]!, (string)then.Json()["state"]!["digest"]!);
    }

    [Fact]
    public async Task Every_event_type_is_in_the_corpus()
    {
        if (Environment.GetEnvironmentVariable("IOMMUFD_WRITE_CORPUS") is not null)
        {
            await CorpusMaker.WriteMissingAsync(_directory);
        }

        Assert.Empty(CorpusMaker.Missing().Select(t => t.Name));
    }
}
