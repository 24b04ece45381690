using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios.Tests.Language;

/// <summary>Every mistake is found before anything runs, at its place, with the nearest valid word.</summary>
public sealed class MistakeTests
{
    [Fact]
    public void The_smallest_scenario_has_no_mistake() => Assert.Empty(Texts.MistakesOf(Texts.Smallest));

    [Theory]
    [InlineData("", "1:1: error: the file is empty")]
    [InlineData(
        "just words",
        "1:1: error: a scenario is a mapping with iommufd, title and clients, not a single value"
    )]
    [InlineData("- a\n- b", "1:1: error: a scenario is a mapping")]
    [InlineData("a: [1, 2\n", "2:1: error: not YAML")]
    [InlineData("iommufd: 1\n\ttitle: x", "1:10: error: not YAML")]
    [InlineData(
        "iommufd: 1\niommufd: 1\ntitle: t\nclients: []",
        "2:1: error: 'iommufd' is here twice; the first is at 1:1"
    )]
    [InlineData("iommufd: 2\ntitle: t\nclients: []", "1:10: error: 'iommufd' is 2, and must be at most 1")]
    [InlineData(
        "iommufd: 1\ntitle: !!str t\nclients: []",
        "2:8: error: the tag 'tag:yaml.org,2002:str' has no meaning"
    )]
    [InlineData("iommufd: 1\ntitle: *nowhere\nclients: []", "2:8: error: no anchor '&nowhere' before this")]
    [InlineData("iommufd: 1\ntitle: t\nclients: []\n---\na: 1", "4:1: error: a second document")]
    [InlineData("iommufd: 1\ntitle: t\nclients: {}", "3:10: error: 'clients' is a list, not a mapping")]
    [InlineData("iommufd: 1\ntitle: [t]\nclients: []", "2:8: error: 'title' is text, not a list")]
    [InlineData("iommufd: 1\ntitle: t\nclinets: []", "3:1: error: unknown key 'clinets'; did you mean 'clients'?")]
    [InlineData("iommufd: 1\nclients: []", "1:1: error: 'title' is missing")]
    public void A_mistake_in_the_outline_is_found(string text, string expected) =>
        Assert.Contains(Texts.MistakesOf(text), m => m.StartsWith(expected, StringComparison.Ordinal));

    [Theory]
    [InlineData("- ^ioas-aloc: a", "unknown step 'ioas-aloc'; did you mean 'ioas-alloc'?")]
    [InlineData("- ^ioas_aloc: a", "unknown step 'ioas_aloc'; did you mean 'ioas-alloc'?")]
    [InlineData("- ^clsoe", "unknown step 'clsoe'; did you mean 'close'?")]
    [InlineData("- ^[close]", "a step is a mapping, not a list")]
    [InlineData(
        "- close:\n  ^ioas-alloc: a",
        "this step is 'close' already: start 'ioas-alloc' with a dash of its own"
    )]
    [InlineData("- ^expect: OK", "'expect' belongs to a step")]
    [InlineData("- ioas-alloc: ^{}", "'as' is missing")]
    [InlineData("- ioas-alloc:^", "'as' is a name, not nothing")]
    [InlineData("- ioas-alloc: {as: a, ^name: b}", "unknown key 'name'; valid here: as")]
    [InlineData(
        "- destroy: ^a",
        "no step of this client names an IOAS, a HWPT, a bound device, an access, a fault queue, a vIOMMU, a vDEVICE, "
            + "an event queue or a hardware queue 'a'"
    )]
    [InlineData(
        "- ioas-alloc: guest\n- attach: {device: d, to: ^gesut}\n- bind: {device: nic-0, as: d}",
        "no step of this client names an IOAS or a HWPT 'gesut'; did you mean 'guest'?"
    )]
    [InlineData("- ioas-alloc: a\n- unbind: ^a", "'a' is an IOAS, and a bound device is needed here")]
    [InlineData("- bind: {device: ^nix-3, as: a}", "the machine has no device 'nix-3'; valid here: nic-$n")]
    [InlineData("- ioas-alloc: a-$^x", "unknown name 'x'")]
    [InlineData("- ioas-alloc: a-$(1 +^)", "a number or a name is expected, not the end")]
    [InlineData("- ioas-alloc: a-^$", "'$' is followed by a name")]
    [InlineData("- memory: {as: m, size: 4^Q}", "unknown unit 'Q'")]
    [InlineData("- memory: {as: m, size: 4^KB}", "unknown unit 'KB'; did you mean 'K'?")]
    [InlineData("- memory: {as: m, size: ^0x}", "a number needs digits")]
    [InlineData("- memory: {as: m, size: ^-1}", "'size' is -1, and must be at least 0")]
    [InlineData(
        "- memory: {as: m, size: ^16E}",
        "'size' is 18446744073709551616, and must be at most 18446744073709551615"
    )]
    [InlineData("- memory: {as: m, size: ^99999999999999999999}", "the number passes 2^64 - 1")]
    [InlineData("- memory: {as: m, size: 1 ^/ 0}", "division by zero")]
    [InlineData("- memory: {as: m, size: 1 ^2}", "'2' is not expected here")]
    [InlineData("- memory: {as: m, size: (1^}", "')' is missing")]
    [InlineData("- memory: {as: m, size: '^max(1)'}", "max takes 2 values, not 1")]
    [InlineData("- memory: {as: m, size: '^mxa(1, 2)'}", "unknown function 'mxa'; did you mean 'max'?")]
    [InlineData("- memory: {as: m, size: 1 ^<< 200}", "a shift by 200: 0 to 126 bits are possible")]
    [InlineData("- memory: {as: m, size: ^random(3..1)}", "random(3, 1) has no number to choose")]
    [InlineData("- memory: {as: m, size: 3 ^@ 4}", "'@' has no meaning in an expression")]
    [InlineData("- memory: {as: m, size: ^[4K]}", "'size' is a number, not a list")]
    [InlineData("- memory: {as: m, size: 4K, kind: ^huge}", "unknown kind 'huge'; did you mean 'huge-2m'?")]
    [InlineData(
        "- memory: {as: m, size: 4K, protection: [read, ^wriet]}",
        "unknown protection 'wriet'; did you mean 'write'?"
    )]
    [InlineData("- pause: ^5", "'time' needs a unit of time: 5ms or 5s")]
    [InlineData("- pause: ^2h", "'time' is 7200000000000, and must be at most 3600000000000")]
    [InlineData("- repeat: ^{times: 3}", "'steps' is missing")]
    [InlineData("- repeat: {times: 3, steps: ^go}", "'steps' is a list of steps, not a single value")]
    [InlineData("- repeat: {times: 3, index: ^3, steps: []}", "'index' is a name")]
    [InlineData("- repeat: {times: 3, index: ^max, steps: []}", "'index' is a name")]
    [InlineData(
        "- repeat: {times: 3, index: i, steps: [{repeat: {times: 1, index: ^i, steps: []}}]}",
        "'i' is a name already"
    )]
    [InlineData("- repeat: {times: 3, index: i, steps: []}\n- memory: {as: m, size: ^i}", "unknown name 'i'")]
    [InlineData("- repeat: {times: 3, steps: []}\n  ^expect: OK", "'repeat' has no outcome of its own")]
    [InlineData("- parallel: ^{count: 2}", "'steps' is missing")]
    [InlineData(
        "- parallel: ^{count: 2, steps: [], branches: []}",
        "either 'count' and 'steps', or 'branches': not both"
    )]
    [InlineData("- parallel: ^{}", "'count' and 'steps', or 'branches' is missing")]
    [InlineData("- unmap: ^{}", "'area', or 'ioas' is missing")]
    [InlineData("- let: {^4x: 3}", "'4x' is not a name")]
    [InlineData("- close:\n  expect: ^EEXISTS", "unknown errno 'EEXISTS'; did you mean 'EEXIST'?")]
    [InlineData("- close:\n  expect: {^lekaed: 0}", "this step has no output 'lekaed'; did you mean 'leaked'?")]
    [InlineData("- close:\n  expect: {leaked: ^at leats 0}", "unknown name 'at'")]
    [InlineData("- close:\n  expect: {leaked: at least ^x}", "unknown name 'x'")]
    [InlineData("- close:\n  expect: {leaked: ^[0]}", "'leaked' is a number or a comparison")]
    [InlineData("- close:\n  save: {^lekaed: n}", "this step has no output 'lekaed'; did you mean 'leaked'?")]
    [InlineData("- close:\n  save: {leaked: ^4}", "'leaked' is saved under a name")]
    [InlineData("- close:\n  save: ^leaked", "'save' is a mapping of outputs to names")]
    [InlineData("- ^save: {leaked: n}", "'save' belongs to a step")]
    [InlineData("- leave: ^left < 3", "unknown name 'left'")]
    [InlineData("- get-dirty-bitmap: {hwpt: ^h, iova: 0, length: 4K}", "no step of this client names a HWPT 'h'")]
    [InlineData("- ^guest-tabel: {}", "unknown step 'guest-tabel'; did you mean 'guest-table'?")]
    [InlineData(
        "- memory: {as: m, size: 4K}\n- guest-table: {as: t, memory: m, hardware: ^vtf}",
        "unknown hardware 'vtf'"
    )]
    [InlineData("- memfd: ^{as: f}", "'size', or 'take' is missing")]
    [InlineData("- dma: ^{iova: 0, length: 4K}", "'device', or 'machine-device' is missing")]
    [InlineData("- dma: {machine-device: ^nix, iova: 0, length: 4K}", "the machine has no device 'nix'")]
    [InlineData(
        "- dma: ^{machine-device: nic-0, iova: 0, length: 4K, fill: 1, stamp: true}",
        "either 'fill', or 'stamp': not both"
    )]
    [InlineData("- vfio-set-iommu: ^type2", "unknown type 'type2'; did you mean 'type1'?")]
    [InlineData(
        "- vfio-unmap-dma: ^{iova: 0, length: 4K, all: true}",
        "either 'iova' and 'length', or 'all': not both"
    )]
    [InlineData("- allow-iovas: {ioas: ^a, ranges: [0..4K]}", "no step of this client names an IOAS 'a'")]
    [InlineData("- fault-respond: {queue: ^q, cookie: 1}", "no step of this client names a fault queue 'q'")]
    public void A_mistake_in_a_step_is_found_at_its_place(string stepsWithMark, string message)
    {
        // '^' marks the place and is not part of the text.
        string marked = Texts.WithSteps(stepsWithMark);
        string[] lines = marked[..marked.IndexOf('^')].Split('\n');
        string text = marked.Remove(marked.IndexOf('^'), 1);
        string expected = $"{lines.Length}:{lines[^1].Length + 1}: error: {message}";
        string[] mistakes = Texts.MistakesOf(text);
        Assert.True(
            mistakes.Any(m => m.StartsWith(expected, StringComparison.Ordinal)),
            $"expected {expected}\nfound {string.Join('\n', mistakes)}"
        );
    }

    [Fact]
    public void All_mistakes_are_reported_in_one_go_in_the_order_of_the_text()
    {
        string[] mistakes = Texts.MistakesOf(
            Texts.WithSteps("- destroy: a\n- mpa: {}\n- memory: {as: m, size: x}\n- close: 3")
        );
        Assert.Equal(["11", "12", "13", "14"], mistakes.Select(m => m.Split(':')[0]));
    }

    [Fact]
    public void A_good_step_beside_a_bad_one_is_not_blamed()
    {
        // The IOAS of the bad 'ioas-alloc' is unknown, the one of the good step is not.
        string[] mistakes = Texts.MistakesOf(
            Texts.WithSteps("- ioas-alloc: {as: a, nme: 1}\n- ioas-alloc: b\n- destroy: b\n- destroy: a")
        );
        Assert.Single(mistakes);
    }

    [Fact]
    public void A_deep_nest_is_refused_without_breaking_the_reader()
    {
        string deep = string.Concat(Enumerable.Repeat("[", 5000));
        Assert.Contains(Texts.MistakesOf(deep), m => m.Contains("nested deeper", StringComparison.Ordinal));
    }

    [Fact]
    public void Aliases_that_multiply_are_refused()
    {
        string text = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n";
        for (int i = 1; i < 9; i++)
        {
            string ten = string.Join(", ", Enumerable.Repeat($"*a{i - 1}", 10));
            text += $"a{i}: &a{i} [{ten}]\n";
        }

        Assert.Contains(Texts.MistakesOf(text), m => m.Contains("more than 1000000 values", StringComparison.Ordinal));
    }

    [Fact]
    public void A_mistake_prints_as_compilers_do()
    {
        var invalid = Assert.Throws<ScenarioInvalidException>(() =>
            ScenarioText.Read("dir/my.yaml", "iommufd: 1\ntitel: x")
        );
        Assert.Equal(
            "dir/my.yaml:2:1: error: unknown key 'titel'; did you mean 'title'?",
            invalid.Mistakes[^1].ToString()
        );
    }
}
