using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Tests.Language;

/// <summary>docs/scenario.schema.json is what the parser knows, and the shipped scenarios follow it.</summary>
public sealed class SchemaTests
{
    private static readonly JsonSerializerOptions Written = new()
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    private static bool IsRewriting => Environment.GetEnvironmentVariable("IOMMUFD_WRITE_SCHEMA") == "1";

    public static TheoryData<string> Names => [.. ShippedScenarios.Names];

    [Fact]
    public void The_schema_in_the_documentation_is_the_parsers()
    {
        string current = ScenarioText.Schema().ToJsonString(Written) + "\n";
        string file = Documented("scenario.schema.json");
        if (IsRewriting)
        {
            File.WriteAllText(file, current);
        }

        Assert.True(
            File.ReadAllText(file) == current,
            "docs/scenario.schema.json differs from the parser: run this test with IOMMUFD_WRITE_SCHEMA=1 and review the change"
        );
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void A_shipped_scenario_follows_the_schema(string name)
    {
        var mistakes = new MistakeCollector(name);
        TreeNode root = TreeReader.Read(ShippedScenarios.SourceOf(name), mistakes)!;
        JsonObject schema = JsonNode.Parse(File.ReadAllText(Documented("scenario.schema.json")))!.AsObject();
        Assert.Empty(new SchemaCheck(schema).Complaints(root));
    }

    [Fact]
    public void The_schema_check_of_these_tests_finds_an_unknown_key()
    {
        var mistakes = new MistakeCollector("s");
        TreeNode root = TreeReader.Read(Texts.WithSteps("- map: {ioas: a, memroy: b}"), mistakes)!;
        Assert.NotEmpty(new SchemaCheck(ScenarioText.Schema()).Complaints(root));
    }

    [Fact]
    public void The_reference_of_steps_in_the_documentation_is_the_parsers()
    {
        const string marker = "<!-- Made from the parser's vocabulary; SchemaTests compares it. -->\n";
        string file = Documented("scenarios.md");
        string text = File.ReadAllText(file);
        int start = text.IndexOf(marker, StringComparison.Ordinal) + marker.Length;
        string current = "\n" + ScenarioReference.Steps().TrimEnd() + "\n";
        if (IsRewriting)
        {
            text = text[..start] + current;
            File.WriteAllText(file, text);
        }

        Assert.True(
            text[start..] == current,
            "docs/scenarios.md differs from the parser: run this test with IOMMUFD_WRITE_SCHEMA=1 and review the change"
        );
    }

    [Fact]
    public void The_example_in_the_documentation_is_valid()
    {
        string text = File.ReadAllText(Documented("scenarios.md"));
        int start = text.IndexOf("```yaml\n", StringComparison.Ordinal) + "```yaml\n".Length;
        string example = text[start..text.IndexOf("```", start, StringComparison.Ordinal)];
        Assert.Empty(Texts.MistakesOf(example));
    }

    private static string Documented(string name, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs", name));

    /// <summary>As much of JSON schema as the language's schema uses, on the YAML tree.</summary>
    private sealed class SchemaCheck(JsonObject root)
    {
        public IReadOnlyList<string> Complaints(TreeNode node) => Complaints(node, root);

        private List<string> Complaints(TreeNode node, JsonObject schema)
        {
            if (schema["$ref"] is { } reference)
            {
                return Complaints(node, root["$defs"]![reference.GetValue<string>().Split('/')[^1]]!.AsObject());
            }

            if (schema["anyOf"] is JsonArray ways)
            {
                List<string>[] each = [.. ways.Select(w => Complaints(node, w!.AsObject()))];
                return each.Any(e => e.Count == 0) ? [] : each.MinBy(e => e.Count)!;
            }

            return node switch
            {
                TreeMapping mapping => OfMapping(mapping, schema),
                TreeList list when schema["items"] is not null =>
                [
                    .. list.Items.SelectMany(i => Complaints(i, schema["items"]!.AsObject())),
                ],
                TreeScalar scalar => OfScalar(scalar, schema),
                _ => [$"{node.At}: {node.Kind} is not allowed"],
            };
        }

        private List<string> OfMapping(TreeMapping mapping, JsonObject schema)
        {
            if (schema["enum"] is not null || !Allows(schema, "object"))
            {
                return [$"{mapping.At}: a mapping is not allowed"];
            }

            var complaints = new List<string>();
            JsonObject properties = schema["properties"]?.AsObject() ?? [];
            foreach (TreeEntry entry in mapping.Entries)
            {
                if (properties[entry.Key.Text] is JsonObject known)
                {
                    complaints.AddRange(Complaints(entry.Value, known));
                }
                else if (schema["additionalProperties"] is JsonObject other)
                {
                    complaints.AddRange(Complaints(entry.Value, other));
                }
                else
                {
                    complaints.Add($"{entry.Key.At}: '{entry.Key.Text}' is not in the schema");
                }
            }

            foreach (JsonNode? required in schema["required"]?.AsArray() ?? [])
            {
                if (mapping.Find(required!.GetValue<string>()) is null)
                {
                    complaints.Add($"{mapping.At}: '{required}' is missing");
                }
            }

            return complaints;
        }

        private static List<string> OfScalar(TreeScalar scalar, JsonObject schema)
        {
            if (schema["enum"] is JsonArray words)
            {
                return words.Any(w => w!.GetValue<string>() == scalar.Text) ? [] : [$"{scalar.At}: '{scalar.Text}'"];
            }

            bool fits = scalar.IsEmpty ? Allows(schema, "null") : Allows(schema, "string") || Allows(schema, "integer");
            return fits ? [] : [$"{scalar.At}: '{scalar.Text}' is not allowed"];
        }

        private static bool Allows(JsonObject schema, string type) =>
            schema["type"] switch
            {
                JsonArray types => types.Any(t => t!.GetValue<string>() == type),
                JsonValue one => one.GetValue<string>() == type,
                _ => true,
            };
    }
}
