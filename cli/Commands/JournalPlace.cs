using System.Globalization;
using System.Text;
using Iommufd.Persistence;

namespace Iommufd.Cli.Commands;

/// <summary>Where journals are written and read.</summary>
internal static class JournalPlace
{
    private static readonly byte[] SqliteMagic = Encoding.ASCII.GetBytes("SQLite format 3\0");

    /// <summary>The file a run writes: the one that was named, else a new one in the temporary folder.</summary>
    /// <exception cref="BadInputException">It cannot be written, or holds something already.</exception>
    public static string ForWriting(string? named, string scenario)
    {
        string file = named ?? Fresh(scenario);
        try
        {
            string? folder = Path.GetDirectoryName(Path.GetFullPath(file));
            if (named is null)
            {
                Directory.CreateDirectory(folder!);
            }

            // Opened to find out now, and not after the run, that it cannot be written.
            bool isEmpty;
            using (FileStream stream = File.Open(file, FileMode.OpenOrCreate, FileAccess.ReadWrite))
            {
                isEmpty = stream.Length == 0;
            }

            if (!isEmpty && !HoldsNothing(file))
            {
                throw new BadInputException(
                    file,
                    "there is something in this file already: a run begins a journal of its own, so name another file or delete this one"
                );
            }

            JournalFile.CheckWritable(file);
        }
        catch (JournalFormatException wrong)
        {
            throw Refused(file, wrong);
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"the journal cannot be written: {unusable.Message}");
        }

        return file;
    }

    /// <summary>Opens a journal to read it.</summary>
    /// <exception cref="BadInputException">There is none, or it is not a journal.</exception>
    public static JournalFile ForReading(string file)
    {
        try
        {
            // An empty file is the journal of a run that was killed before it had begun.
            if (File.Exists(file) && new FileInfo(file).Length > 0 && !IsSqlite(file))
            {
                throw new BadInputException(file, "not a journal: not an SQLite file");
            }

            return JournalFile.Open(file);
        }
        catch (JournalFormatException wrong)
        {
            throw Refused(file, wrong);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>Does something with a journal.</summary>
    /// <exception cref="BadInputException">There is none, it is not a journal, or it is damaged.</exception>
    public static T Read<T>(string file, Func<T> read)
    {
        try
        {
            if (File.Exists(file) && !IsBlank(file) && !IsSqlite(file))
            {
                throw new BadInputException(file, "not a journal: not an SQLite file");
            }

            return read();
        }
        catch (JournalFormatException wrong)
        {
            throw Refused(file, wrong);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"cannot be read: {unreadable.Message}");
        }
    }

    /// <summary>Reads a journal after every page of it was checked.</summary>
    /// <exception cref="BadInputException">There is none, or it is damaged.</exception>
    public static T Using<T>(string file, Func<JournalFile, T> read) =>
        Read(
            file,
            () =>
            {
                using JournalFile journal = JournalFile.Open(file);
                journal.CheckPages();
                return read(journal);
            }
        );

    /// <summary>Which run wrote a journal; null when it does not say.</summary>
    /// <exception cref="BadInputException">There is none, or it is damaged.</exception>
    public static JournaledRun? RunOf(string file) =>
        Read(
            file,
            () =>
            {
                using JournalFile journal = JournalFile.Open(file);
                return journal.ReadRun();
            }
        );

    /// <summary>Opens the log of replies; null when none is wanted.</summary>
    /// <exception cref="BadInputException">It cannot be written.</exception>
    public static ReplyLog? OpenReplyLog(string? file)
    {
        try
        {
            return file is null ? null : new ReplyLog(file);
        }
        catch (Exception unusable) when (unusable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file!, $"the log of replies cannot be written: {unusable.Message}");
        }
    }

    /// <summary>What a damaged journal is refused with.</summary>
    public static BadInputException Refused(string file, JournalFormatException wrong) =>
        new(
            file,
            wrong.Message.StartsWith(file + ": ", StringComparison.Ordinal)
                ? wrong.Message[(file.Length + 2)..]
                : wrong.Message
        );

    // A run that was killed before it had begun leaves tables without an event.
    private static bool HoldsNothing(string file)
    {
        if (!IsSqlite(file))
        {
            return false;
        }

        using JournalFile journal = JournalFile.Open(file);
        return !journal.HasRows();
    }

    private static string Fresh(string scenario)
    {
        string moment = DateTime.UtcNow.ToString("yyyyMMdd-HHmmss", CultureInfo.InvariantCulture);
        string name = FormattableString.Invariant($"{scenario}-{moment}-{Environment.ProcessId}.db");
        return Path.Combine(Path.GetTempPath(), "iommufd", name);
    }

    private static bool IsBlank(string file) => new FileInfo(file).Length == 0;

    private static bool IsSqlite(string file)
    {
        using FileStream stream = File.OpenRead(file);
        var start = new byte[SqliteMagic.Length];
        return stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false) == start.Length
            && start.AsSpan().SequenceEqual(SqliteMagic);
    }
}
