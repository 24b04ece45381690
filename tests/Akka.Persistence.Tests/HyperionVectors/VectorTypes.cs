namespace Vectors;

public enum Color
{
    Red = 0,
    Green = 1,
    Blue = 7,
}

public sealed class AreaMapped(long seq, uint ioas, ulong iova, ulong length, string note, Color color)
{
    public long Seq { get; } = seq;
    public uint Ioas { get; } = ioas;
    public ulong Iova { get; } = iova;
    public ulong Length { get; } = length;
    public string Note { get; } = note;
    public Color Color { get; } = color;
}

public sealed record RecordEvent(long Seq, int Errno, bool Ok);

public readonly record struct Run(ulong Pfn, uint Count);

public sealed record WithRuns(long Seq, Run[] Runs, byte[] Blob);

public sealed record WithNested(AreaMapped A, RecordEvent B);

public sealed record WithLists(List<long> L, int[] I, string[] S, Guid G, DateTime T, int? N, int? M);

public struct P
{
    public int X;
    public int Y;
}

public class Fields
{
    public int b = 2;
    public string a = "x";
    private long c = 3;
    public object o;

    public long PrivateField => c;
}
