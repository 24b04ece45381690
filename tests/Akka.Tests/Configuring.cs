using Akka.Actor;
using Akka.Configuration;
using Xunit;

namespace AkkaTests;

public class Configuring
{
    private static Config Parse(string hocon) => ConfigurationFactory.ParseString(hocon);

    [Fact]
    public void Dotted_keys_and_nested_objects_are_the_same()
    {
        Assert.Equal("x", Parse("a.b.c = x").GetString("a.b.c"));
        Assert.Equal("x", Parse("a { b { c = x } }").GetString("a.b.c"));
        Assert.Equal("x", Parse("{ a : { b { c : x } } }").GetString("a.b.c"));
    }

    [Fact]
    public void Later_objects_merge_into_earlier_ones()
    {
        var config = Parse("a { x = 1, y = 2 }\na { y = 3 }\na.z = 4");
        Assert.Equal((1, 3, 4), (config.GetInt("a.x"), config.GetInt("a.y"), config.GetInt("a.z")));
    }

    [Theory]
    [InlineData("v = 10 ms", 10)]
    [InlineData("v = 2s", 2000)]
    [InlineData("v = 1.5 s", 1500)]
    [InlineData("v = 3 minutes", 180_000)]
    [InlineData("v = 7", 7)]
    public void Durations_have_units(string hocon, double milliseconds) =>
        Assert.Equal(TimeSpan.FromMilliseconds(milliseconds), Parse(hocon).GetTimeSpan("v"));

    [Fact]
    public void Infinite_is_a_duration() =>
        Assert.Equal(Timeout.InfiniteTimeSpan, Parse("v = infinite").GetTimeSpan("v"));

    [Theory]
    [InlineData("on", true)]
    [InlineData("off", false)]
    [InlineData("yes", true)]
    [InlineData("false", false)]
    public void Booleans_have_many_names(string text, bool value) =>
        Assert.Equal(value, Parse("v = " + text).GetBoolean("v", !value));

    [Fact]
    public void Texts_are_quoted_in_three_ways()
    {
        var config = Parse(
            "a = plain text # comment\nb = \"with # and \\\"quotes\\\"\"\nc = \"\"\"raw \"x\" \\n\"\"\""
        );
        Assert.Equal("plain text", config.GetString("a"));
        Assert.Equal("with # and \"quotes\"", config.GetString("b"));
        Assert.Equal("raw \"x\" \\n", config.GetString("c"));
    }

    [Fact]
    public void Keys_may_be_quoted_to_hold_dots()
    {
        var config = Parse("bindings { \"System.Byte[]\" = bytes }");
        Assert.Equal("bytes", config.GetConfig("bindings").Root.GetObject().GetKey("System.Byte[]").GetString());
        Assert.Equal("bytes", config.GetString("bindings.\"System.Byte[]\""));
    }

    [Fact]
    public void Lists_take_commas_or_lines_and_can_be_added_to()
    {
        Assert.Equal(["a", "b", "c"], Parse("v = [a, b\n c]").GetStringList("v"));
        Assert.Equal(["a", "b"], Parse("v = [a]\nv += b").GetStringList("v"));
        Assert.Equal([1, 2], Parse("v = [1, 2]").GetIntList("v"));
    }

    [Fact]
    public void Substitutions_look_above_and_below()
    {
        var config = Parse("a = ${b}\nb = 1\nc { d = ${a} }\ne = ${?nothing}\nf = pre-${b}-post");
        Assert.Equal("1", config.GetString("a"));
        Assert.Equal("1", config.GetString("c.d"));
        Assert.False(config.HasPath("e"));
        Assert.Equal("pre-1-post", config.GetString("f"));
    }

    [Fact]
    public void A_substitution_of_an_object_is_merged()
    {
        var config = Parse("base { x = 1, y = 2 }\nmine = ${base} { y = 3 }");
        Assert.Equal((1, 3), (config.GetInt("mine.x"), config.GetInt("mine.y")));
    }

    [Fact]
    public void Unresolved_substitutions_are_errors() => Assert.Throws<FormatException>(() => Parse("a = ${b}"));

    [Theory]
    [InlineData("a { b = 1", "line 1")]
    [InlineData("a = 1\n}", "line 2")]
    [InlineData("a = [1", "line 1")]
    public void Mistakes_say_where(string hocon, string where) =>
        Assert.Contains(where, Assert.Throws<FormatException>(() => Parse(hocon)).Message, StringComparison.Ordinal);

    [Fact]
    public void A_fallback_fills_gaps_only()
    {
        var config = Parse("a { x = 1 }").WithFallback(Parse("a { x = 2, y = 3 }, b = 4"));
        Assert.Equal((1, 3, 4), (config.GetInt("a.x"), config.GetInt("a.y"), config.GetInt("b")));
    }

    [Fact]
    public void What_is_missing_has_a_default()
    {
        Assert.Equal(7, Config.Empty.GetInt("none", 7));
        Assert.Null(Config.Empty.GetString("none"));
        Assert.Null(Config.Empty.GetConfig("none"));
        Assert.False(Config.Empty.HasPath("none"));
        Assert.True(Config.Empty.IsNullOrEmpty());
    }

    [Fact]
    public void Byte_sizes_have_units() => Assert.Equal(1536L * 1024, Parse("v = 1536 KiB").GetByteSize("v"));

    [Fact]
    public void The_defaults_are_those_of_the_reference()
    {
        using var system = ActorSystem.Create("defaults", "akka.stdout-loglevel = OFF, akka.loglevel = OFF");
        var settings = system.Settings;
        Assert.Equal(30, system.Dispatchers.DefaultGlobalDispatcher.Throughput);
        Assert.Equal(TimeSpan.FromSeconds(20), settings.CreationTimeout);
        Assert.Equal(Timeout.InfiniteTimeSpan, settings.AskTimeout);
        Assert.Equal(10, settings.LogDeadLetters);
        Assert.False(settings.SerializeAllMessages);
    }

    [Fact]
    public void What_is_printed_can_be_read_again()
    {
        var config = Parse("a { b = \"x y\", c = [1, 2], \"d.e\" = f }");
        var again = Parse(config.ToString());
        Assert.Equal("x y", again.GetString("a.b"));
        Assert.Equal([1, 2], again.GetIntList("a.c"));
        Assert.Equal("f", again.GetString("a.\"d.e\""));
    }

    [Fact]
    public void A_deployment_section_chooses_the_mailbox_of_a_path()
    {
        using var system = ActorSystem.Create(
            "deployed",
            """
            akka.stdout-loglevel = OFF, akka.loglevel = OFF
            tight { mailbox-type = "Akka.Dispatch.BoundedMailbox", mailbox-capacity = 5, mailbox-push-timeout-time = 0s }
            akka.actor.deployment { "/here" { mailbox = tight } }
            """
        );
        var here = (LocalActorRef)system.ActorOf(Props.Empty, "here");
        var there = (LocalActorRef)system.ActorOf(Props.Empty, "there");
        Assert.NotNull(here.Underlying.Mailbox.Custom);
        Assert.Null(there.Underlying.Mailbox.Custom);
    }
}
