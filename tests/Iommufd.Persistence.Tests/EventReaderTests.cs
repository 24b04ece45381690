using FsCheck;
using FsCheck.Fluent;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>Payloads are read without Hyperion as Hyperion reads them.</summary>
public sealed class EventReaderTests
{
    public static TheoryData<string> Types => [.. EventTypes.InFileOrder.Select(t => t.Name)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_event_type_is_read_without_Hyperion(string name)
    {
        var written = EventPayload.ToBytes(SampleEvents.Of(EventTypes.InFileOrder.Single(t => t.Name == name)));

        var read = EventReader.TryRead(written);

        Assert.NotNull(read);
        Assert.Equal(name, read.GetType().Name);
        Assert.Equal(written, EventPayload.ToBytes(read));
    }

    [Fact]
    public void A_random_history_is_read_as_it_was_written() =>
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue).ToArbitrary(),
                seed =>
                    new RandomHistory(seed, 60).Events.All(change =>
                    {
                        var written = EventPayload.ToBytes(change);
                        return EventPayload.ToBytes(EventPayload.FromBytes(written)).AsSpan().SequenceEqual(written);
                    })
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void A_damaged_payload_is_refused_or_read_as_Hyperion_reads_it() =>
        Prop.ForAll(
                Gen.Choose(0, EventTypes.InFileOrder.Count - 1)
                    .SelectMany(type => Gen.Choose(0, int.MaxValue).Select(seed => (Type: type, Seed: seed)))
                    .ToArbitrary(),
                drawn =>
                {
                    var payload = EventPayload.ToBytes(SampleEvents.Of(EventTypes.InFileOrder[drawn.Type]));
                    var random = new Random(drawn.Seed);
                    payload[random.Next(payload.Length)] ^= (byte)(1 << random.Next(8));
                    if (random.Next(4) == 0)
                    {
                        payload = payload[..random.Next(payload.Length)];
                    }

                    ContextEvent read;
                    try
                    {
                        read = EventPayload.FromBytes(payload);
                    }
                    catch (JournalFormatException)
                    {
                        return true;
                    }

                    return EventPayload
                        .ToBytes(read)
                        .AsSpan()
                        .SequenceEqual(EventPayload.ToBytes(EventPayload.FromHyperion(payload)));
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(2_000));
}
