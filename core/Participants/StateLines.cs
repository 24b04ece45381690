using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>Collects the canonical lines of a state and hashes them with FNV-1a, the same on every machine.</summary>
public sealed class StateLines(bool keep)
{
    private readonly List<string>? _lines = keep ? [] : null;
    private readonly StringBuilder? _line = keep ? new() : null;
    private Fnv1a _hash = Fnv1a.Empty;

    /// <summary>Adds a line, formatted the same under every culture. Without text nothing is allocated.</summary>
    public void Add([InterpolatedStringHandlerArgument("")] ref Line line)
    {
        _hash = _hash.Add('\n');
        if (_lines is not null)
        {
            _lines.Add(_line!.ToString());
            _line.Clear();
        }
    }

    /// <summary>What was collected.</summary>
    public StateDescription ToDescription() => new(_hash.Value, _lines is null ? [] : _lines);

    /// <summary>Takes the parts of an interpolated line straight into the hash.</summary>
    /// <param name="literalLength">Characters outside of holes.</param>
    /// <param name="formattedCount">Holes.</param>
    /// <param name="lines">Where they go.</param>
    [InterpolatedStringHandler]
    public readonly ref struct Line(int literalLength, int formattedCount, StateLines lines)
    {
        private const int LongestNumber = 64;

        /// <summary>Characters outside of holes, and holes: what the compiler knows of the line.</summary>
        public (int Literals, int Holes) Size => (literalLength, formattedCount);

        /// <summary>Adds text.</summary>
        public void AppendLiteral(string text) => lines.Take(text);

        /// <summary>Adds text.</summary>
        public void AppendFormatted(string? text) => lines.Take(text);

        /// <summary>Adds True or False.</summary>
        public void AppendFormatted(bool value) => lines.Take(value ? bool.TrueString : bool.FalseString);

        /// <summary>Adds a number: states are made of little else.</summary>
        public void AppendFormatted(ulong value, string? format = null)
        {
            Span<char> text = stackalloc char[LongestNumber];
            var first = LongestNumber;
            if (format is null)
            {
                do
                {
                    (value, var digit) = Math.DivRem(value, 10);
                    text[--first] = (char)('0' + digit);
                } while (value != 0);
            }
            else if (format is "x")
            {
                do
                {
                    text[--first] = "0123456789abcdef"[(int)(value & 15)];
                    value >>= 4;
                } while (value != 0);
            }
            else
            {
                value.TryFormat(text, out var written, format, CultureInfo.InvariantCulture);
                lines.Take(text[..written]);
                return;
            }

            lines.Take(text[first..]);
        }

        /// <summary>Adds a value.</summary>
        public void AppendFormatted<T>(T value, string? format = null)
        {
            Span<char> text = stackalloc char[LongestNumber];

            // Asked and cast apart, which boxes no number.
            if (
                value is ISpanFormattable
                && ((ISpanFormattable)value).TryFormat(text, out var written, format, CultureInfo.InvariantCulture)
            )
            {
                lines.Take(text[..written]);
            }
            else
            {
                lines.Take(
                    value is IFormattable other
                        ? other.ToString(format, CultureInfo.InvariantCulture)
                        : value?.ToString()
                );
            }
        }
    }

    private void Take(ReadOnlySpan<char> text)
    {
        _hash = _hash.Add(text);
        _line?.Append(text);
    }
}

/// <summary>A 64-bit FNV-1a hash under construction.</summary>
/// <param name="Value">The hash so far.</param>
public readonly record struct Fnv1a(ulong Value)
{
    private const ulong Prime = 0x100000001b3;
    private const ulong PrimeSquared = unchecked(Prime * Prime);

    /// <summary>The hash of nothing.</summary>
    public static Fnv1a Empty => new(0xcbf29ce484222325);

    /// <summary>Adds the UTF-16 units of a text, low byte first.</summary>
    public Fnv1a Add(ReadOnlySpan<char> text)
    {
        var hash = Value;
        foreach (var unit in text)
        {
            // Nearly every unit's high byte is zero: then its step is a multiplication alone, and both are one.
            hash =
                unit <= byte.MaxValue
                    ? unchecked((hash ^ unit) * PrimeSquared)
                    : unchecked((((hash ^ (byte)unit) * Prime) ^ (ulong)(unit >> 8)) * Prime);
        }

        return new Fnv1a(hash);
    }

    /// <summary>Adds one UTF-16 unit, low byte first.</summary>
    public Fnv1a Add(char unit) => AddByte((byte)unit).AddByte((byte)(unit >> 8));

    /// <summary>Adds eight bytes, low byte first.</summary>
    public Fnv1a Add(ulong word)
    {
        var hash = this;
        for (var shift = 0; shift < 64; shift += 8)
        {
            hash = hash.AddByte((byte)(word >> shift));
        }

        return hash;
    }

    private Fnv1a AddByte(byte value) => new(unchecked((Value ^ value) * Prime));
}
