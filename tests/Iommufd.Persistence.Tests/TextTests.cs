using System.Globalization;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>A journal written as text comes back as it was; text that is no journal is refused and leaves nothing.</summary>
public sealed class TextTests : IDisposable
{
    private readonly TestJournal _journals = new();

    public void Dispose() => _journals.Dispose();

    [Theory]
    [InlineData(JournalTextFormat.JsonLines)]
    [InlineData(JournalTextFormat.Csv)]
    public void What_was_exported_comes_back_byte_for_byte(JournalTextFormat format)
    {
        var path = Sample();
        Import("b.db", Export(path, format));
        Assert.Equal(TestJournal.Sha256(path), TestJournal.Sha256(_journals.At("b.db")));
        Assert.Equal(Export(path, format), Export(_journals.At("b.db"), format));
    }

    [Fact]
    public void Every_event_type_has_fields_that_make_it_again()
    {
        foreach (var type in EventTypes.InFileOrder)
        {
            var change = SampleEvents.Of(type);
            var again = EventJson.EventOf(
                type.Name,
                System.Text.Json.JsonDocument.Parse(EventJson.FieldsOf(change).ToJsonString()).RootElement
            );
            Assert.Equal(EventPayload.ToBytes(change), EventPayload.ToBytes(again));
        }
    }

    [Fact]
    public void Every_event_type_of_a_context_has_a_sentence()
    {
        foreach (var type in EventTypes.InFileOrder.Where(t => t.BaseType == typeof(ContextEvent)))
        {
            Assert.NotEqual(type.Name, EventSentence.Of(SampleEvents.Of(type)));
        }
    }

    [Theory]
    [InlineData(3, "ContextOpened", "ContextOpend", "unknown event 'ContextOpend'")]
    [InlineData(2, "{\"row\"", "{\"roww\"", "a member is missing")]
    [InlineData(2, "{", "[", "not valid JSON")]
    [InlineData(2, "\"sequence\":1", "\"sequence\":2", "comes where event 1")]
    [InlineData(2, "\"version\"", "\"versoin\"", "ContextOpened")]
    [InlineData(1, "{\"journal\":1", "{\"jurnal\":1", "no exported journal")]
    [InlineData(1, "\"vocabulary\":", "\"vocabulary\":9", "of version 9")]
    public void What_is_wrong_is_said_with_its_line_and_leaves_no_journal(
        int line,
        string right,
        string wrong,
        string expected
    )
    {
        var lines = Export(Sample(), JournalTextFormat.JsonLines).Split('\n');
        lines[line - 1] = lines[line - 1].Replace(right, wrong, StringComparison.Ordinal);
        var failure = Assert.Throws<JournalTextException>(() => Import("b.db", string.Join('\n', lines)));
        Assert.Equal(line, failure.Line);
        Assert.Contains(expected, failure.Message, StringComparison.Ordinal);
        Assert.Equal([_journals.At("a.db")], Directory.GetFiles(_journals.At(".")).Select(Path.GetFullPath));
    }

    [Fact]
    public void Text_that_is_cut_short_is_refused()
    {
        var text = Export(Sample(), JournalTextFormat.JsonLines);
        var cut = text[..(text.LastIndexOf("{\"end\"", StringComparison.Ordinal))];
        var failure = Assert.Throws<JournalTextException>(() => Import("b.db", cut));
        Assert.Contains("cut short", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_event_that_was_changed_is_noticed()
    {
        var text = Export(Sample(), JournalTextFormat.JsonLines);
        var changed = text.Replace("\"ioasId\":1}", "\"ioasId\":7}", StringComparison.Ordinal);
        Assert.NotEqual(text, changed);
        var failure = Assert.Throws<JournalTextException>(() => Import("b.db", changed));
        Assert.Contains("sha256", failure.Message, StringComparison.Ordinal);
    }

    private string Sample() =>
        _journals.Write("a.db", new RandomHistory(4, 80).Events, new RandomHistory(5, 30, number: 2).Events);

    private static string Export(string path, JournalTextFormat format)
    {
        using var rows = JournalRows.Open(path);
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        JournalText.Write(rows, format, output);
        return output.ToString();
    }

    private void Import(string name, string text)
    {
        using var writer = JournalWriter.Create(_journals.At(name));
        JournalText.Read(new StringReader(text), writer);
        writer.Complete();
    }
}
