using System.Collections;
using System.Globalization;
using Hyperion;
using Vectors;
using Xunit;
using HyperionFormat = Hyperion.Serializer;

namespace Akka.Persistence.Tests.Serialization;

/// <summary>Bytes that the real Hyperion wrote (hyperion-vectors.tsv), matched in both directions.</summary>
public sealed class HyperionVectorTests
{
    private static readonly Type[] KnownTypes =
    [
        typeof(AreaMapped),
        typeof(RecordEvent),
        typeof(Run),
        typeof(WithRuns),
        typeof(WithNested),
        typeof(WithLists),
        typeof(Color),
        typeof(Run[]),
    ];

    private static readonly AreaMapped Area = new(5, 3, 0x1000000, 0x200000, "héllo", Color.Blue);
    private static readonly RecordEvent Event = new(7, 22, true);

    private static readonly Dictionary<string, object?> Values = new(StringComparer.Ordinal)
    {
        ["long 5"] = 5L,
        ["int -2"] = -2,
        ["uint 4000000000"] = 4000000000u,
        ["ulong max"] = ulong.MaxValue,
        ["short 3"] = (short)3,
        ["ushort 9"] = (ushort)9,
        ["byte 200"] = (byte)200,
        ["sbyte -1"] = (sbyte)-1,
        ["bool true"] = true,
        ["char 'x'"] = 'x',
        ["float 1.5"] = 1.5f,
        ["double 2.5"] = 2.5d,
        ["decimal 12.34"] = 12.34m,
        ["string empty"] = "",
        ["string abc"] = "abc",
        ["string 300*a"] = new string('a', 300),
        ["null"] = null,
        ["Guid"] = new Guid("00112233-4455-6677-8899-aabbccddeeff"),
        ["DateTime utc 2026-11-22"] = new DateTime(2026, 11, 22, 0, 0, 0, DateTimeKind.Utc),
        ["byte[] 1,2,3"] = new byte[] { 1, 2, 3 },
        ["int[] 1,2"] = new[] { 1, 2 },
        ["long[] 5"] = new[] { 5L },
        ["string[] a,null,b"] = new[] { "a", null, "b" },
        ["object[] 1,'s'"] = new object[] { 1, "s" },
        ["Color.Blue"] = Color.Blue,
        ["AreaMapped(5,3,0x1000000,0x200000,'héllo',Blue)"] = Area,
        ["RecordEvent(7,22,true)"] = Event,
        ["Run(9,2)"] = new Run(9, 2),
        ["Run[] {(9,2),(20,1)}"] = new[] { new Run(9, 2), new Run(20, 1) },
        ["WithRuns(1,{(9,2),(20,1)},{1,2})"] = new WithRuns(1, [new Run(9, 2), new Run(20, 1)], [1, 2]),
        ["WithRuns(1,{},null)"] = new WithRuns(1, [], null!),
        ["WithNested(AreaMapped,RecordEvent)"] = new WithNested(Area, Event),
        ["WithNested(null,RecordEvent)"] = new WithNested(null!, Event),
        ["WithLists"] = new WithLists(
            [1, 2],
            [3],
            ["x"],
            Guid.Empty,
            new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc),
            5,
            null
        ),
        ["Dictionary<string,long>{a:1}"] = new Dictionary<string, long> { ["a"] = 1 },
        ["P{1,2}"] = new P { X = 1, Y = 2 },
        ["Fields(o=same string)"] = new Fields { o = "q" },
        ["same object twice in object[]"] = new object[] { Event, Event },
    };

    /// <summary>Kinds of value that this implementation does not write, with the reason. There are none today.</summary>
    private static readonly Dictionary<string, string> Unsupported = new(StringComparer.Ordinal);

    private static readonly Dictionary<string, HyperionFormat> Serializers = new(StringComparer.Ordinal)
    {
        ["default(versionTolerance,refs)"] = new(new SerializerOptions(true, true)),
        ["noVersion,noRefs"] = new(new SerializerOptions(false, false)),
        ["noVersion,refs,knownTypes"] = new(new SerializerOptions(false, true, knownTypes: KnownTypes)),
        ["noVersion,noRefs,knownTypes"] = new(new SerializerOptions(false, false, knownTypes: KnownTypes)),
    };

    public static TheoryData<string, string, string> Vectors()
    {
        var data = new TheoryData<string, string, string>();
        foreach (var (config, value, _, hex) in ReadVectors())
        {
            data.Add(config, value, hex);
        }

        return data;
    }

    private static List<(string Config, string Value, int Length, string Hex)> ReadVectors() =>
        [
            .. File.ReadAllLines(Path.Combine(AppContext.BaseDirectory, "Serialization", "hyperion-vectors.tsv"))
                .Where(line => !line.StartsWith('#') && line.Length > 0)
                .Skip(1)
                .Select(line => line.Split('\t'))
                .Select(f => (f[0], f[1], int.Parse(f[2], CultureInfo.InvariantCulture), f[3])),
        ];

    [Theory]
    [MemberData(nameof(Vectors))]
    public void A_value_is_written_as_the_real_Hyperion_writes_it(string config, string value, string hex)
    {
        var serializer = Serializers[config];
        if (hex.StartsWith("throws", StringComparison.Ordinal))
        {
            Assert.Throws<ArgumentNullException>(() => serializer.ToBytes(Values[value]!));
            return;
        }

        Assert.Equal(hex, Convert.ToHexStringLower(serializer.ToBytes(Values[value]!)));
    }

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Bytes_of_the_real_Hyperion_give_the_value(string config, string value, string hex)
    {
        if (hex.StartsWith("throws", StringComparison.Ordinal))
        {
            return;
        }

        var read = Serializers[config].FromBytes(Convert.FromHexString(hex));
        Assert.Equal(Describe(Values[value]), Describe(read));
    }

    [Fact]
    public void Every_vector_is_covered_and_none_is_unsupported()
    {
        var vectors = ReadVectors();
        Assert.Equal(152, vectors.Count);
        Assert.All(vectors, v => Assert.True(Values.ContainsKey(v.Value) || Unsupported.ContainsKey(v.Value), v.Value));
        Assert.Empty(Unsupported);
        Assert.All(vectors.Where(v => v.Length > 0), v => Assert.Equal(v.Length * 2, v.Hex.Length));
    }

    /// <summary>Type and content, down to the fields: what a reader of the value can see.</summary>
    private static string Describe(object? value) =>
        value switch
        {
            null => "null",
            DateTime time => $"{time.Ticks} {time.Kind}",
            P p => $"P {p.X} {p.Y}",
            string or ValueType => $"{value.GetType().Name}:{value}",
            IDictionary map => "{" + string.Join(",", map.Keys.Cast<object>().Select(k => $"{k}={map[k]}")) + "}",
            IEnumerable items => $"{value.GetType()}[{string.Join(",", items.Cast<object?>().Select(Describe))}]",
            Fields f => $"Fields {f.a} {f.b} {f.PrivateField} {f.o}",
            AreaMapped a => $"Area {a.Seq} {a.Ioas} {a.Iova} {a.Length} {a.Note} {a.Color}",
            WithRuns w => $"WithRuns {w.Seq} {Describe(w.Runs)} {Describe(w.Blob)}",
            WithNested n => $"WithNested {Describe(n.A)} {Describe(n.B)}",
            WithLists l => $"{Describe(l.L)} {Describe(l.I)} {Describe(l.S)} {l.G} {l.T.Ticks} {l.N} {l.M}",
            _ => value.ToString()!,
        };
}
