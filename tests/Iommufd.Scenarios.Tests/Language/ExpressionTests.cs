using FsCheck;
using FsCheck.Fluent;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Expressions;

namespace Iommufd.Scenarios.Tests.Language;

/// <summary>Numbers, units, operators, names.</summary>
public sealed class ExpressionTests
{
    [Theory]
    [InlineData("7", 7)]
    [InlineData("0x1F", 31)]
    [InlineData("1_000", 1000)]
    [InlineData("4K", 4096)]
    [InlineData("2MiB", 2 << 20)]
    [InlineData("1G", 1 << 30)]
    [InlineData("3T / 1G", 3072)]
    [InlineData("5ms", 5_000_000)]
    [InlineData("2 + 3 * 4", 14)]
    [InlineData("(2 + 3) * 4", 20)]
    [InlineData("7 - 2 - 1", 4)]
    [InlineData("-3 + 5", 2)]
    [InlineData("17 % 5", 2)]
    [InlineData("1 << 4 + 1", 32)]
    [InlineData("1 < 2 && 3 >= 3", 1)]
    [InlineData("0 || 0", 0)]
    [InlineData("!5", 0)]
    [InlineData("a == 3 ? b : c", 40)]
    [InlineData("a != 3 ? b : c > 4 ? 1 : 2", 1)]
    [InlineData("min(a, b) + max(a, b)", 43)]
    [InlineData("roundUp(a, 4K) - roundDown(4097, 4K)", 0)]
    [InlineData("true + true", 2)]
    [InlineData("0 && 1 / 0", 0)]
    [InlineData("0xffffffffffffffff - 18446744073709551614", 1)]
    public void An_expression_has_its_value(string text, long expected) => Assert.Equal(expected, Evaluate(text));

    [Fact]
    public void Random_numbers_lie_in_their_range_and_reach_both_ends()
    {
        var seen = Enumerable.Range(0, 400).Select(i => (int)Evaluate("random(a, 7)", (ulong)i)).ToHashSet();
        Assert.Equal([3, 4, 5, 6, 7], seen.Order());
    }

    [Fact]
    public void The_same_seed_draws_the_same_numbers() =>
        Assert.Equal(Evaluate("random(0, 1T)", 9), Evaluate("random(0, 1T)", 9));

    [Fact]
    public void Neighbouring_parts_of_a_seed_draw_different_numbers()
    {
        ulong[] first = [.. Enumerable.Range(0, 1000).Select(i => SeededRandom.For(5, (ulong)i).Next())];
        Assert.Equal(first.Length, first.Distinct().Count());
    }

    [Fact]
    public void Sums_products_and_rounding_are_exact() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<(int A, int B, byte C)>(),
                n =>
                {
                    Int128 expected = ((Int128)n.A + n.B) * n.C;
                    Int128 step = n.C + 1;
                    Int128 down = Evaluate($"roundDown({Written(n.A)}, {step})");
                    Int128 up = Evaluate($"roundUp({Written(n.A)}, {step})");
                    return Evaluate($"({Written(n.A)} + {Written(n.B)}) * {n.C}") == expected
                        && down <= n.A
                        && up >= n.A
                        && down % step == 0
                        && up % step == 0
                        && up - down <= step;
                }
            )
            .QuickCheckThrowOnFailure();

    [Theory]
    [InlineData("nic-3", "nic-3", true)]
    [InlineData("nic-3", "nic-4", false)]
    [InlineData("nic-$a", "nic-4", true)]
    [InlineData("nic-$a", "nix-4", false)]
    [InlineData("$a-x", "y-$b", true)]
    [InlineData("$a-x", "y-$b-z", false)]
    [InlineData("p$(a)q$(b)r", "p12q3r", true)]
    [InlineData("p$(a)q$(b)r", "p12r", false)]
    public void Names_with_computed_parts_match_what_they_can_become(string one, string other, bool expected)
    {
        Assert.Equal(expected, Name(one).CanEqual(Name(other)));
        Assert.Equal(expected, Name(other).CanEqual(Name(one)));
    }

    [Fact]
    public void A_name_is_rendered_with_its_numbers_and_words()
    {
        Scope scope = Scope.Empty(new SeededRandom(1)).With("a", 3).With("b", 40).With("word", "amd");
        Assert.Equal("x-3-41.amd/3", Name("x-$a-$(b + 1).$word/$(a)").Render(scope));
    }

    private static string Written(int number) => number < 0 ? $"(0 - {-(long)number})" : $"{number}";

    private static Int128 Evaluate(string text, ulong seed = 1)
    {
        var mistakes = new MistakeCollector("e");
        var names = new KnownNames(["a", "b", "c"], []);
        Expression? expression = ExpressionParser.Parse(text, SourcePosition.Start, names, mistakes);
        Assert.True(mistakes.IsEmpty, string.Join('\n', mistakes.InOrder()));
        Scope scope = Scope.Empty(new SeededRandom(seed)).With("a", 3).With("b", 40).With("c", 5);
        return expression!.Evaluate(scope);
    }

    private static Template Name(string text)
    {
        var mistakes = new MistakeCollector("e");
        Template? name = Template.Parse(text, SourcePosition.Start, new KnownNames(["a", "b"], ["word"]), mistakes);
        Assert.True(mistakes.IsEmpty);
        return name!;
    }
}
