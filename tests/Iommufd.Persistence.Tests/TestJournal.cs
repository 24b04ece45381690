using Iommufd.Messages.Events;

namespace Iommufd.Persistence.Tests;

/// <summary>A folder for the journals of one test.</summary>
internal sealed class TestJournal : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("iommufd-journals-").FullName;

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_folder, recursive: true);

    /// <summary>A path in the folder.</summary>
    public string At(string name) => Path.Combine(_folder, name);

    /// <summary>Writes a journal with these streams; their events take turns.</summary>
    public string Write(string name, params IReadOnlyList<ContextEvent>[] contexts)
    {
        using var writer = JournalWriter.Create(At(name));
        for (var i = 0; i < contexts.Max(c => c.Count); i++)
        {
            for (var context = 0; context < contexts.Length; context++)
            {
                if (i < contexts[context].Count)
                {
                    writer.Append(FormattableString.Invariant($"iommufd-{context + 1}"), contexts[context][i]);
                }
            }
        }

        writer.Complete();
        return At(name);
    }

    /// <summary>SHA-256 over a journal's payloads.</summary>
    public static string Sha256(string path)
    {
        using var journal = JournalFile.Open(path);
        return journal.Sha256();
    }
}
