namespace Iommufd.Cli.Commands;

/// <summary>
/// Keeps a second run away from a journal for as long as one runs on it. The lock ends with the process, however it ends.
/// </summary>
internal sealed class JournalLock : IDisposable
{
    private readonly FileStream _file;

    private JournalLock(FileStream file) => _file = file;

    /// <summary>Takes the journal for this process.</summary>
    /// <exception cref="BadInputException">Another process has it, or its folder cannot be written.</exception>
    public static JournalLock Take(string journal)
    {
        try
        {
            // A file of its own: SQLite's locks on the journal would be lost when another handle of this process on it is closed.
            return new JournalLock(
                new FileStream(
                    journal + ".lock",
                    FileMode.OpenOrCreate,
                    FileAccess.ReadWrite,
                    FileShare.None,
                    bufferSize: 1,
                    FileOptions.DeleteOnClose
                )
            );
        }
        catch (IOException taken)
        {
            throw new BadInputException(
                journal,
                $"another process runs on this journal: wait until it has ended ({taken.Message})"
            );
        }
        catch (UnauthorizedAccessException unusable)
        {
            throw new BadInputException(journal, $"the journal cannot be written: {unusable.Message}");
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _file.Dispose();
}
