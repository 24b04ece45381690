using System.Globalization;
using System.Text;
using Akka.Configuration;
using Akka.Persistence.Serialization;

namespace Akka.Persistence.Snapshot;

/// <summary>
/// Snapshots as files of a folder. A file holds the serializer's id, its manifest and the content; the format is this
/// implementation's own.
/// </summary>
public class LocalSnapshotStore : SnapshotStore
{
    private const string Prefix = "snapshot-";
    private readonly DirectoryInfo _folder;
    private readonly int _maxLoadAttempts;

    /// <summary>Reads akka.persistence.snapshot-store.local.</summary>
    public LocalSnapshotStore()
        : this(Context.System.Settings.Config.GetConfig("akka.persistence.snapshot-store.local")) { }

    /// <summary>
    /// Reads dir (the folder, made if it is not there) and max-load-attempts (how many damaged files are passed over,
    /// at most, for an older one).
    /// </summary>
    public LocalSnapshotStore(Config config)
    {
        _folder = new DirectoryInfo(config.GetString("dir", "snapshots"));
        _maxLoadAttempts = config.GetInt("max-load-attempts", 3);
    }

    /// <inheritdoc/>
    protected override Task<SelectedSnapshot> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        Exception failure = null;
        // A damaged file is passed over for the one before it, a few times.
        foreach (var (metadata, file) in Matching(persistenceId, criteria).Take(_maxLoadAttempts))
        {
            try
            {
                return Task.FromResult(new SelectedSnapshot(metadata, Read(file).Data));
            }
            catch (Exception e)
            {
                failure = e;
            }
        }
        return failure is null
            ? Task.FromResult<SelectedSnapshot>(null)
            : Task.FromException<SelectedSnapshot>(failure);
    }

    /// <inheritdoc/>
    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot)
    {
        Save(metadata, snapshot);
        return Task.CompletedTask;
    }

    /// <summary>
    /// Writes one snapshot, blocking; an existing one of the same sequence number and time is replaced.
    /// </summary>
    protected virtual void Save(SnapshotMetadata metadata, object snapshot)
    {
        // First under another name: a crash must not leave half a snapshot under the right one.
        var file = WithOutputStream(metadata, stream => Serialize(stream, new Serialization.Snapshot(snapshot)));
        file.MoveTo(GetSnapshotFileForWrite(metadata).FullName, overwrite: true);
    }

    /// <inheritdoc/>
    protected override Task DeleteAsync(SnapshotMetadata metadata)
    {
        var all = new SnapshotSelectionCriteria(metadata.SequenceNr, DateTime.MaxValue, metadata.SequenceNr);
        foreach (var (found, file) in Matching(metadata.PersistenceId, all))
        {
            if (metadata.Timestamp == SnapshotMetadata.TimestampNotSpecified || metadata.Timestamp == found.Timestamp)
                file.Delete();
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        foreach (var (_, file) in Matching(persistenceId, criteria))
            file.Delete();
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override bool ReceivePluginInternal(object message) => false;

    /// <inheritdoc/>
    protected override void PreStart()
    {
        _folder.Create();
        base.PreStart();
    }

    /// <summary>Writes the serializer's id, its manifest and the content.</summary>
    protected void Serialize(Stream stream, Serialization.Snapshot snapshot)
    {
        var serialization = Context.System.Serialization;
        var serializer = serialization.FindSerializerFor(snapshot.Data);
        using var writer = new BinaryWriter(stream, Encoding.UTF8, leaveOpen: true);
        writer.Write(serializer.Identifier);
        writer.Write(Akka.Serialization.Serialization.ManifestFor(serializer, snapshot.Data));
        writer.Write(serializer.ToBinary(snapshot.Data));
    }

    private Serialization.Snapshot Read(FileInfo file)
    {
        using var reader = new BinaryReader(file.OpenRead(), Encoding.UTF8);
        var id = reader.ReadInt32();
        var manifest = reader.ReadString();
        var rest = new MemoryStream();
        reader.BaseStream.CopyTo(rest);
        return new Serialization.Snapshot(Context.System.Serialization.Deserialize(rest.ToArray(), id, manifest));
    }

    /// <summary>Writes a file under a temporary name and gives it back, complete and closed.</summary>
    protected FileInfo WithOutputStream(SnapshotMetadata metadata, Action<Stream> p)
    {
        var file = GetSnapshotFileForWrite(metadata, ".tmp");
        using (var stream = file.Create())
            p(stream);
        return file;
    }

    /// <summary>The file of a snapshot: persistence id (escaped), sequence number and time are in its name.</summary>
    protected FileInfo GetSnapshotFileForWrite(SnapshotMetadata metadata, string extension = "") =>
        new(
            Path.Combine(
                _folder.FullName,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{Prefix}{Uri.EscapeDataString(metadata.PersistenceId)}-{metadata.SequenceNr}-{metadata.Timestamp.Ticks}{extension}"
                )
            )
        );

    /// <summary>Those that qualify, newest first.</summary>
    private (SnapshotMetadata Metadata, FileInfo File)[] Matching(
        string persistenceId,
        SnapshotSelectionCriteria criteria
    )
    {
        if (!_folder.Exists)
            return [];
        var prefix = Prefix + Uri.EscapeDataString(persistenceId) + "-";
        return
        [
            .. _folder
                .EnumerateFiles()
                .Select(file => (Metadata: Parse(file.Name, prefix, persistenceId), File: file))
                .Where(found => found.Metadata is not null && criteria.IsMatch(found.Metadata))
                .OrderByDescending(found => found.Metadata.SequenceNr)
                .ThenByDescending(found => found.Metadata.Timestamp),
        ];
    }

    private static SnapshotMetadata Parse(string fileName, string prefix, string persistenceId)
    {
        if (!fileName.StartsWith(prefix, StringComparison.Ordinal))
            return null;
        var parts = fileName[prefix.Length..].Split('-');
        return
            parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks)
            ? new SnapshotMetadata(persistenceId, number, new DateTime(ticks, DateTimeKind.Utc))
            : null;
    }
}
