using System.Buffers.Binary;
using System.Text;

namespace Iommufd.Persistence;

/// <summary>
/// The first bytes of a payload say which type it is: a mark and the type's number in the file format. Looked at before anything
/// is read, so that a type that this program does not have is named instead of misread.
/// </summary>
public static class EventTypeCheck
{
    private const byte KnownTypeMark = 0xfe;
    private const byte NamedTypeMark = 0xff;
    private const int HeaderSize = 3;

    /// <summary>Whether the payload names one of our types by its number.</summary>
    /// <param name="payload">The payload of a row.</param>
    /// <param name="types">How many types this program knows.</param>
    /// <exception cref="JournalFormatException">It does not; the message says what it names.</exception>
    public static void Demand(ReadOnlySpan<byte> payload, int types)
    {
        if (payload.Length < HeaderSize)
        {
            throw new JournalFormatException(
                FormattableString.Invariant($"a row of the journal is damaged: {payload.Length} bytes are no event")
            );
        }

        if (payload[0] == NamedTypeMark)
        {
            throw new JournalFormatException(
                $"a row of the journal holds a {NameIn(payload)}, which is no event of this program"
            );
        }

        if (payload[0] != KnownTypeMark)
        {
            throw new JournalFormatException(
                FormattableString.Invariant(
                    $"a row of the journal is damaged: it begins with the byte 0x{payload[0]:x2}"
                )
            );
        }

        var number = TypeOf(payload);
        if (number >= types)
        {
            throw new JournalFormatException(
                FormattableString.Invariant(
                    $"a row of the journal has event type {number}, and this program knows 0 to {types - 1}: a newer version wrote it"
                )
            );
        }
    }

    /// <summary>The type's number in the file format.</summary>
    public static int TypeOf(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadUInt16LittleEndian(payload[1..]);

    private static string NameIn(ReadOnlySpan<byte> payload)
    {
        const int Start = 5;
        if (payload.Length < Start)
        {
            return "value without a type";
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(payload[1..]);
        return length > 0 && length <= payload.Length - Start
            ? Encoding.UTF8.GetString(payload.Slice(Start, length))
            : "value without a type";
    }
}
