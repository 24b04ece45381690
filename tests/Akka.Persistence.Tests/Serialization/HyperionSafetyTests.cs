using System.Runtime.Serialization;
using System.Security;
using FsCheck;
using FsCheck.Fluent;
using Hyperion;
using Vectors;
using Xunit;
using HyperionFormat = Hyperion.Serializer;

namespace Akka.Persistence.Tests.Serialization;

/// <summary>Bytes that are damaged, hostile, or of another version.</summary>
public sealed class HyperionSafetyTests
{
    public sealed class Tripwire
    {
        public static int Made;

        public Tripwire() => Interlocked.Increment(ref Made);
    }

    private static readonly Type[] Known =
    [
        typeof(RecordEvent),
        typeof(AreaMapped),
        typeof(Color),
        typeof(WithRuns),
        typeof(Run),
    ];

    private static HyperionFormat Guarded() =>
        new(
            new SerializerOptions(
                knownTypes: Known,
                typeFilter: TypeFilterBuilder.Create().Include<RecordEvent>().Include<Run[]>().Build()
            )
        );

    [Fact]
    public void A_type_outside_the_allow_list_is_refused_by_name_and_not_made()
    {
        var bytes = new HyperionFormat().ToBytes(new Tripwire());
        var made = Tripwire.Made;
        var e = Assert.Throws<UserEvilDeserializationException>(() => Guarded().FromBytes(bytes));
        Assert.Contains("Tripwire", e.BadTypeString, StringComparison.Ordinal);
        Assert.Contains("not in the list of allowed types", e.Message, StringComparison.Ordinal);
        Assert.Equal(made, Tripwire.Made);
    }

    [Fact]
    public void A_type_on_the_allow_list_is_read_by_name()
    {
        var bytes = new HyperionFormat().ToBytes(new RecordEvent(1, 2, true));
        Assert.Equal(new RecordEvent(1, 2, true), Guarded().FromBytes(bytes));
    }

    [Fact]
    public void A_forbidden_type_inside_an_allowed_one_is_refused_too()
    {
        var bytes = new HyperionFormat().ToBytes(new Fields { o = new Tripwire() });
        var guarded = new HyperionFormat(
            new SerializerOptions(typeFilter: TypeFilterBuilder.Create().Include<Fields>().Build())
        );
        Assert.Throws<UserEvilDeserializationException>(() => guarded.FromBytes(bytes));
    }

    [Theory]
    [InlineData("System.Diagnostics.Process, System.Diagnostics.Process")]
    [InlineData("System.IO.FileInfo, System.Private.CoreLib,%core%")]
    [InlineData(
        "System.Collections.Generic.List`1[[System.IO.FileInfo, System.Private.CoreLib,%core%]], System.Private.CoreLib,%core%"
    )]
    public void Types_of_the_runtime_that_are_not_plain_data_are_refused_without_any_list(string name)
    {
        var utf8 = global::System.Text.Encoding.UTF8.GetBytes(name);
        byte[] bytes = [255, .. BitConverter.GetBytes(utf8.Length), .. utf8, 0, 0, 0, 0];
        Assert.ThrowsAny<Exception>(() => new HyperionFormat().FromBytes(bytes));
        var e = Record.Exception(() => new HyperionFormat().FromBytes(bytes));
        Assert.True(e is EvilDeserializationException or SerializationException, e.ToString());
    }

    [Fact]
    public void An_unknown_type_is_named_in_the_error()
    {
        var utf8 = "No.Such.Type, Nowhere"u8.ToArray();
        byte[] bytes = [255, .. BitConverter.GetBytes(utf8.Length), .. utf8];
        var e = Assert.Throws<SerializationException>(() => new HyperionFormat().FromBytes(bytes));
        Assert.Contains("No.Such.Type", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_delegate_cannot_be_written() =>
        Assert.Throws<UnsupportedTypeException>(() => new HyperionFormat().ToBytes(new Action(() => { })));

    [Fact]
    public void Every_prefix_of_a_payload_is_refused()
    {
        var serializer = Guarded();
        var bytes = serializer.ToBytes(new WithRuns(1, [new Run(9, 2)], [1, 2]));
        for (var length = 0; length < bytes.Length; length++)
        {
            Assert.Throws<SerializationException>(() => serializer.FromBytes(bytes[..length]));
        }
    }

    [Fact]
    public void Damaged_bytes_give_a_value_or_an_error_and_never_more() =>
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue).ToArbitrary(),
                seed =>
                {
                    var random = new Random(seed);
                    var serializer = Guarded();
                    var bytes = serializer.ToBytes(new WithRuns(7, [new Run(9, 2), new Run(3, 4)], [1, 2, 3]));
                    for (var i = random.Next(1, 6); i > 0; i--)
                    {
                        bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                    }

                    var e = Record.Exception(() => serializer.FromBytes(bytes));
                    return e is null or SerializationException or SecurityException;
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void A_count_larger_than_the_payload_is_refused_before_anything_is_allocated()
    {
        byte[] bytes = [252, 2, 255, 255, 255, 127];
        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Throws<SerializationException>(() => new HyperionFormat().FromBytes(bytes));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    public sealed class Node
    {
        public Node? Next { get; set; }
    }

    [Fact]
    public void Nesting_without_end_is_refused()
    {
        var serializer = new HyperionFormat(new SerializerOptions(knownTypes: [typeof(Node)]));
        var bytes = Enumerable.Repeat<byte[]>([254, 0, 0], 100_000).SelectMany(b => b).ToArray();
        var e = Assert.Throws<SerializationException>(() => serializer.FromBytes(bytes));
        Assert.Contains("nests deeper", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_object_that_holds_itself_survives_with_references()
    {
        var serializer = new HyperionFormat(new SerializerOptions(preserveObjectReferences: true));
        var node = new Node();
        node.Next = node;
        var read = (Node)serializer.FromBytes(serializer.ToBytes(node));
        Assert.Same(read, read.Next);
    }

    public sealed class Before
    {
        public int A { get; set; }
        public string B { get; set; } = "";
        public Run Dropped { get; set; }
    }

    public sealed class After
    {
        public string B { get; set; } = "";
        public int A { get; set; }
        public int Added { get; set; }
    }

    [Fact]
    public void With_version_data_fields_may_come_and_go()
    {
        var old = new HyperionFormat(new SerializerOptions(versionTolerance: true));
        var bytes = old.ToBytes(
            new Before
            {
                A = 5,
                B = "x",
                Dropped = new Run(1, 2),
            }
        );
        var renaming = new HyperionFormat(
            new SerializerOptions(
                versionTolerance: true,
                packageNameOverrides: [name => name.Replace("+Before,", "+After,", StringComparison.Ordinal)]
            )
        );
        var read = Assert.IsType<After>(renaming.FromBytes(bytes));
        Assert.Equal((5, "x", 0), (read.A, read.B, read.Added));
    }

    public sealed record Price(long Cents);

    public sealed record StoredPrice(string Text);

    [Fact]
    public void A_stand_in_is_written_and_turned_back()
    {
        var surrogate = Surrogate.Create<Price, StoredPrice>(
            p => new StoredPrice(p.Cents.ToString(global::System.Globalization.CultureInfo.InvariantCulture)),
            s => new Price(long.Parse(s.Text, global::System.Globalization.CultureInfo.InvariantCulture))
        );
        var serializer = new HyperionFormat(new SerializerOptions(surrogates: [surrogate]));
        var bytes = serializer.ToBytes(new object[] { new Price(123) });
        Assert.Contains("StoredPrice", global::System.Text.Encoding.UTF8.GetString(bytes), StringComparison.Ordinal);
        Assert.Equal(new Price(123), ((object[])serializer.FromBytes(bytes))[0]);
    }

    public sealed record Everything(
        long L,
        ulong U,
        string? S,
        byte[]? B,
        int? N,
        Color C,
        Run R,
        Run[] Rs,
        string?[] Ss,
        decimal D,
        Everything? Inner
    );

    private static Gen<Everything?> EverythingGen(int depth) =>
        from l in Gen.Choose(int.MinValue, int.MaxValue)
        from s in Gen.Elements<string?>(null, "", "x", new string('é', 126), new string('é', 127), new string('y', 300))
        from b in Gen.Elements<byte[]?>(null, [], [1, 2, 3])
        from n in Gen.Elements<int?>(null, 5)
        from c in Gen.Elements(Color.Red, Color.Blue, (Color)99)
        from count in Gen.Choose(0, 4)
        from inner in depth == 0 ? Gen.Constant<Everything?>(null) : EverythingGen(depth - 1)
        select new Everything(
            l,
            (ulong)l * 3,
            s,
            b,
            n,
            c,
            new Run((ulong)count, 7),
            [.. Enumerable.Range(0, count).Select(i => new Run((ulong)i, (uint)count))],
            [s, null, "z"],
            l / 7m,
            inner
        );

    [Theory]
    [InlineData(false, false, false)]
    [InlineData(false, true, false)]
    [InlineData(true, false, false)]
    [InlineData(true, true, false)]
    [InlineData(false, false, true)]
    [InlineData(false, true, true)]
    public void What_is_written_is_read_back(bool version, bool references, bool known)
    {
        Type[] types = known ? [typeof(Everything), typeof(Run), typeof(Color), typeof(Run[])] : [];
        var serializer = new HyperionFormat(new SerializerOptions(version, references, knownTypes: types));
        Prop.ForAll(
                EverythingGen(3).ToArbitrary(),
                value =>
                {
                    var bytes = serializer.ToBytes(value!);
                    var again = serializer.ToBytes(serializer.FromBytes(bytes));
                    return bytes.AsSpan().SequenceEqual(again);
                }
            )
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Many_threads_may_be_the_first_to_use_a_type()
    {
        var value = new Everything(1, 2, "s", [1], 3, Color.Green, new Run(4, 5), [new Run(6, 7)], ["x"], 8m, null);
        var expected = new HyperionFormat().ToBytes(value);
        for (var round = 0; round < 50; round++)
        {
            var serializer = new HyperionFormat();
            using var start = new Barrier(4);
            var threads = Enumerable
                .Range(0, 4)
                .Select(_ =>
                    Task.Factory.StartNew(
                        () =>
                        {
                            start.SignalAndWait();
                            return serializer.ToBytes(value);
                        },
                        TaskCreationOptions.LongRunning
                    )
                )
                .ToArray();
            Assert.All(threads, thread => Assert.Equal(expected, thread.GetAwaiter().GetResult()));
        }
    }

    [Fact]
    public void A_stream_is_left_behind_the_value()
    {
        var serializer = new HyperionFormat();
        var first = serializer.ToBytes(new RecordEvent(1, 2, true));
        using var stream = new MemoryStream([.. first, .. serializer.ToBytes("next")]);
        Assert.Equal(new RecordEvent(1, 2, true), serializer.Deserialize<RecordEvent>(stream));
        Assert.Equal(first.Length, stream.Position);
        Assert.Equal("next", serializer.Deserialize<string>(stream));
    }

    [Fact]
    public void An_equal_struct_is_written_once_when_references_are_kept()
    {
        var serializer = new HyperionFormat(new SerializerOptions(preserveObjectReferences: true, knownTypes: Known));
        var runs = new[] { new Run(1, 2), new Run(1, 2) };
        var bytes = serializer.ToBytes(runs);
        Assert.Equal(253, bytes[^5]);
        Assert.Equal(runs, serializer.FromBytes(bytes));
    }
}
