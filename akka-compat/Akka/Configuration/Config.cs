using System.Globalization;
using System.Reflection;
using Akka.Configuration.Hocon;

namespace Akka.Configuration;

/// <summary>A configuration, with the one that fills its gaps already merged in. Immutable.</summary>
public class Config
{
    /// <summary>Holds nothing.</summary>
    public static readonly Config Empty = new();

    private readonly HoconObject _root;
    private readonly HoconObject _own;

    /// <summary>Holds nothing.</summary>
    public Config()
        : this(new HoconObject(), null) { }

    /// <summary>Holds what was parsed; a root that is no object is taken as empty.</summary>
    public Config(HoconRoot root)
        : this(root.Value?.AsObject ?? new HoconObject(), null) { }

    /// <summary>The source's own values over the fallback, in place of the source's fallback.</summary>
    public Config(Config source, Config fallback)
        : this(source._own, fallback) { }

    private Config(HoconObject own, Config fallback)
    {
        _own = own;
        Fallback = fallback;
        _root = fallback is null ? own : own.MergedOver(fallback._root);
    }

    /// <summary>What the gaps were filled from; null when nothing was.</summary>
    public Config Fallback { get; }

    /// <summary>Whether there is no value at all, fallbacks included.</summary>
    public virtual bool IsEmpty => _root.Items.Count == 0;

    /// <summary>All values, fallbacks merged in, as one object.</summary>
    public virtual HoconValue Root => HoconValue.OfObject(_root);

    /// <summary>The references that the text held. Always empty here: they are resolved while parsing.</summary>
    public IEnumerable<HoconSubstitution> Substitutions { get; set; } = [];

    /// <summary>The own values over another fallback, or over the present one when that is null.</summary>
    protected Config Copy(Config fallback = null) => new(_own, fallback ?? Fallback);

    /// <summary>
    /// The value at a dotted path, of any kind; null when there is none. An element in quotes may hold dots.
    /// </summary>
    public HoconValue GetValue(string path) => ConfigPath.Find(_root, path);

    /// <summary>Whether there is something at a path; an explicit null and an empty object are nothing.</summary>
    public virtual bool HasPath(string path) => GetValue(path) is { } v && !v.IsEmpty;

    /// <summary>The section at a path, without a fallback of its own; null when there is none.</summary>
    public virtual Config GetConfig(string path) => GetValue(path) is { AsObject: { } o } ? new Config(o, null) : null;

    /// <summary>
    /// The text at a path; the default when there is none, or when the value is null, an object or an array.
    /// </summary>
    public virtual string GetString(string path, string @default = null) =>
        GetValue(path) is { IsNull: false } value ? value.GetString() ?? @default : @default;

    /// <summary>on, true and yes against off, false and no; the default when there is none.</summary>
    /// <exception cref="NotSupportedException">The text is none of these.</exception>
    public virtual bool GetBoolean(string path, bool @default = false) =>
        Scalar(path) is { } v ? v.GetBoolean() : @default;

    /// <summary>The number at a path; the default when there is none.</summary>
    /// <exception cref="FormatException">The text is not a number of this kind.</exception>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public virtual int GetInt(string path, int @default = 0) => Scalar(path) is { } v ? v.GetInt() : @default;

    /// <summary>The number at a path; the default when there is none.</summary>
    /// <exception cref="FormatException">The text is not a number of this kind.</exception>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public virtual long GetLong(string path, long @default = 0) => Scalar(path) is { } v ? v.GetLong() : @default;

    /// <summary>The number at a path; the default when there is none.</summary>
    /// <exception cref="FormatException">The text is not a number of this kind.</exception>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public virtual float GetFloat(string path, float @default = 0) => Scalar(path) is { } v ? v.GetFloat() : @default;

    /// <summary>The number at a path; the default when there is none.</summary>
    /// <exception cref="FormatException">The text is not a number of this kind.</exception>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public virtual double GetDouble(string path, double @default = 0) =>
        Scalar(path) is { } v ? v.GetDouble() : @default;

    /// <summary>The number at a path; the default when there is none.</summary>
    /// <exception cref="FormatException">The text is not a number of this kind.</exception>
    /// <exception cref="OverflowException">It does not fit.</exception>
    public virtual decimal GetDecimal(string path, decimal @default = 0) =>
        Scalar(path) is { } v ? v.GetDecimal() : @default;

    /// <summary>As <see cref="GetByteSize(string, long?)"/>, with null for none.</summary>
    public virtual long? GetByteSize(string path) => GetByteSize(path, null);

    /// <summary>
    /// A size in bytes: a number with a unit, of which <c>kB</c> and its like count in thousands and <c>K</c>,
    /// <c>KiB</c> in 1,024. The default when there is none.
    /// </summary>
    /// <exception cref="FormatException">The unit is not known.</exception>
    public virtual long? GetByteSize(string path, long? def = null) => Scalar(path) is { } v ? v.GetByteSize() : def;

    /// <summary>
    /// A duration: a number with a unit from ns to d, milliseconds without one, or <c>infinite</c> where that is
    /// allowed. The default, or zero, when there is none.
    /// </summary>
    /// <exception cref="FormatException">The text is not a duration.</exception>
    public virtual TimeSpan GetTimeSpan(string path, TimeSpan? @default = null, bool allowInfinite = true) =>
        Scalar(path) is { } v ? v.GetTimeSpan(allowInfinite) : @default.GetValueOrDefault();

    /// <summary>The texts at a path; empty when there is none.</summary>
    public virtual IList<string> GetStringList(string path) => GetStringList(path, []);

    /// <summary>
    /// The texts at a path; the default, which is a list of texts and not of paths, when there is none.
    /// </summary>
    public virtual IList<string> GetStringList(string path, string[] defaultPaths) =>
        GetValue(path) is { } v ? v.GetStringList() : defaultPaths;

    /// <summary>The values at a path; empty when there is none.</summary>
    /// <exception cref="NotSupportedException">One is not a truth value.</exception>
    public virtual IList<bool> GetBooleanList(string path) => List(path, v => v.GetBoolean());

    /// <summary>The numbers at a path; empty when there is none.</summary>
    /// <exception cref="FormatException">One is not such a number.</exception>
    public virtual IList<decimal> GetDecimalList(string path) => List(path, v => v.GetDecimal());

    /// <summary>The numbers at a path; empty when there is none.</summary>
    /// <exception cref="FormatException">One is not such a number.</exception>
    public virtual IList<float> GetFloatList(string path) => List(path, v => v.GetFloat());

    /// <summary>The numbers at a path; empty when there is none.</summary>
    /// <exception cref="FormatException">One is not such a number.</exception>
    public virtual IList<double> GetDoubleList(string path) => List(path, v => v.GetDouble());

    /// <summary>The numbers at a path; empty when there is none.</summary>
    /// <exception cref="FormatException">One is not such a number.</exception>
    public virtual IList<int> GetIntList(string path) => List(path, v => v.GetInt());

    /// <summary>The numbers at a path; empty when there is none.</summary>
    /// <exception cref="FormatException">One is not such a number.</exception>
    public virtual IList<long> GetLongList(string path) => List(path, v => v.GetLong());

    /// <summary>The numbers at a path; empty when there is none.</summary>
    /// <exception cref="FormatException">One is not such a number.</exception>
    public virtual IList<byte> GetByteList(string path) =>
        List(path, v => byte.Parse(v.GetString(), CultureInfo.InvariantCulture));

    private HoconValue Scalar(string path) => GetValue(path) is { IsNull: false, Text: not null } value ? value : null;

    private List<T> List<T>(string path, Func<HoconValue, T> read) =>
        GetValue(path)?.GetArray().Select(read).ToList() ?? [];

    /// <summary>
    /// This configuration with its gaps filled from another; objects are merged, all else is taken whole. Null adds
    /// nothing.
    /// </summary>
    public virtual Config WithFallback(Config fallback)
    {
        if (fallback is null || ReferenceEquals(fallback, this) || fallback.IsEmpty)
            return this;
        if (IsEmpty)
            return fallback;
        return new Config(_root, fallback);
    }

    /// <summary>The values at the top, fallbacks merged in, in the order in which they were first named.</summary>
    public virtual IEnumerable<KeyValuePair<string, HoconValue>> AsEnumerable() => _root.Items;

    /// <inheritdoc/>
    public override string ToString() => ToString(true);

    /// <summary>As HOCON, with or without what fallbacks added.</summary>
    public string ToString(bool includeFallback) => (includeFallback ? _root : _own).ToString();

    /// <summary>The left one with its gaps filled from the right one.</summary>
    public static Config operator +(Config config, string fallback) =>
        config.WithFallback(ConfigurationFactory.ParseString(fallback));

    /// <summary>The left one with its gaps filled from the right one.</summary>
    public static Config operator +(string configHocon, Config fallbackConfig) =>
        ConfigurationFactory.ParseString(configHocon).WithFallback(fallbackConfig);

    /// <summary>Parses the text.</summary>
    /// <exception cref="FormatException">It is not HOCON.</exception>
    public static implicit operator Config(string str) => ConfigurationFactory.ParseString(str);
}

/// <summary>Makes configurations.</summary>
public class ConfigurationFactory
{
    private static readonly Lazy<Config> Reference = new(() =>
        FromResource("Akka.Configuration.akka.conf", typeof(ConfigurationFactory).Assembly)
    );

    /// <summary>Holds nothing.</summary>
    public static Config Empty => Config.Empty;

    /// <summary>Parses a text; the function gives what each <c>include</c> stands for.</summary>
    /// <exception cref="FormatException">It is not HOCON.</exception>
    public static Config ParseString(string hocon, Func<string, HoconRoot> includeCallback) =>
        new(HoconParser.Parse(hocon, includeCallback));

    /// <summary>Parses a text that includes nothing.</summary>
    /// <exception cref="FormatException">It is not HOCON.</exception>
    public static Config ParseString(string hocon) => new(HoconParser.Parse(hocon));

    /// <summary>What the process was configured with: nothing, in this runtime.</summary>
    public static Config Load() => Empty;

    /// <summary>The runtime's own defaults.</summary>
    public static Config Default() => Reference.Value;

    /// <summary>Parses a resource of the assembly that the object is, or that its type is in.</summary>
    public static Config FromResource(string resourceName, object instanceInAssembly) =>
        FromResource(
            resourceName,
            instanceInAssembly switch
            {
                Type type => type.Assembly,
                Assembly assembly => assembly,
                _ => instanceInAssembly.GetType().Assembly,
            }
        );

    /// <summary>Parses a resource of the assembly that the type is in.</summary>
    public static Config FromResource<TAssembly>(string resourceName) =>
        FromResource(resourceName, typeof(TAssembly).Assembly);

    /// <summary>Parses an embedded resource.</summary>
    /// <exception cref="ConfigurationException">There is none of that name.</exception>
    public static Config FromResource(string resourceName, Assembly assembly)
    {
        using var stream =
            assembly.GetManifestResourceStream(resourceName)
            ?? throw new ConfigurationException($"The assembly {assembly} holds no resource {resourceName}.");
        using var reader = new StreamReader(stream);
        return ParseString(reader.ReadToEnd());
    }

    /// <summary>The public properties of an object, as a configuration.</summary>
    public static Config FromObject(object source)
    {
        var root = new HoconObject();
        foreach (var property in source.GetType().GetProperties())
        {
            var value = property.GetValue(source);
            var text = Convert.ToString(value, CultureInfo.InvariantCulture);
            root.Items[property.Name] = text is null ? new HoconValue { IsNull = true } : HoconValue.OfText(text);
        }
        return new Config(new HoconRoot(HoconValue.OfObject(root)));
    }
}

/// <summary>Configurations that may be missing.</summary>
public static class ConfigExtensions
{
    /// <summary>As WithFallback, also on null.</summary>
    public static Config SafeWithFallback(this Config config, Config fallback) =>
        config is null ? fallback
        : ReferenceEquals(config, fallback) ? config
        : config.WithFallback(fallback);

    /// <summary>Whether there is no configuration, or nothing in it.</summary>
    public static bool IsNullOrEmpty(this Config config) => config is null || config.IsEmpty;
}
