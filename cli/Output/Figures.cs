using System.Globalization;

namespace Iommufd.Cli.Output;

/// <summary>Numbers for people.</summary>
internal static class Figures
{
    /// <summary>In groups: 12,345; from a million on, short: 1.23 M.</summary>
    public static string Count(double number) =>
        Math.Abs(number) switch
        {
            >= 1e9 => Short(number / 1e9, "G"),
            >= 1e6 => Short(number / 1e6, "M"),
            _ => number.ToString("#,0", CultureInfo.InvariantCulture),
        };

    /// <summary>A measured value: grouped when large, with digits after the point when small.</summary>
    public static string Measured(double value) =>
        value.ToString(Math.Abs(value) >= 100 ? "#,0" : "0.##", CultureInfo.InvariantCulture);

    /// <summary>Bytes in binary units.</summary>
    public static string Bytes(double bytes) =>
        Math.Abs(bytes) switch
        {
            >= 1L << 30 => Short(bytes / (1L << 30), "GiB"),
            >= 1L << 20 => Short(bytes / (1L << 20), "MiB"),
            >= 1L << 10 => Short(bytes / (1L << 10), "KiB"),
            _ => Short(bytes, "B"),
        };

    /// <summary>A time given in nanoseconds.</summary>
    public static string Time(double nanoseconds) =>
        nanoseconds switch
        {
            >= 1e9 => Short(nanoseconds / 1e9, "s"),
            >= 1e6 => Short(nanoseconds / 1e6, "ms"),
            >= 1e3 => Short(nanoseconds / 1e3, "µs"),
            _ => Short(nanoseconds, "ns"),
        };

    private static string Short(double number, string unit) =>
        number.ToString(number >= 100 ? "0" : "0.##", CultureInfo.InvariantCulture) + " " + unit;
}
