using System.Globalization;
using System.Reflection;
using Akka.Configuration.Hocon;

namespace Akka.Configuration;

/// <summary>A configuration, with the one that fills its gaps already merged in. Immutable.</summary>
public class Config
{
    public static readonly Config Empty = new();

    private readonly HoconObject _root;
    private readonly HoconObject _own;

    public Config()
        : this(new HoconObject(), null) { }

    public Config(HoconRoot root)
        : this(root.Value?.AsObject ?? new HoconObject(), null) { }

    public Config(Config source, Config fallback)
        : this(source._own, fallback) { }

    private Config(HoconObject own, Config fallback)
    {
        _own = own;
        Fallback = fallback;
        _root = fallback is null ? own : own.MergedOver(fallback._root);
    }

    public Config Fallback { get; }
    public virtual bool IsEmpty => _root.Items.Count == 0;
    public virtual HoconValue Root => HoconValue.OfObject(_root);
    public IEnumerable<HoconSubstitution> Substitutions { get; set; } = [];

    protected Config Copy(Config fallback = null) => new(_own, fallback ?? Fallback);

    public HoconValue GetValue(string path) => ConfigPath.Find(_root, path);

    public virtual bool HasPath(string path) => GetValue(path) is { } v && !v.IsEmpty;

    public virtual Config GetConfig(string path) => GetValue(path) is { AsObject: { } o } ? new Config(o, null) : null;

    public virtual string GetString(string path, string @default = null) =>
        GetValue(path) is { IsNull: false } value ? value.GetString() ?? @default : @default;

    public virtual bool GetBoolean(string path, bool @default = false) =>
        Scalar(path) is { } v ? v.GetBoolean() : @default;

    public virtual int GetInt(string path, int @default = 0) => Scalar(path) is { } v ? v.GetInt() : @default;

    public virtual long GetLong(string path, long @default = 0) => Scalar(path) is { } v ? v.GetLong() : @default;

    public virtual float GetFloat(string path, float @default = 0) => Scalar(path) is { } v ? v.GetFloat() : @default;

    public virtual double GetDouble(string path, double @default = 0) =>
        Scalar(path) is { } v ? v.GetDouble() : @default;

    public virtual decimal GetDecimal(string path, decimal @default = 0) =>
        Scalar(path) is { } v ? v.GetDecimal() : @default;

    public virtual long? GetByteSize(string path) => GetByteSize(path, null);

    public virtual long? GetByteSize(string path, long? def = null) => Scalar(path) is { } v ? v.GetByteSize() : def;

    public virtual TimeSpan GetTimeSpan(string path, TimeSpan? @default = null, bool allowInfinite = true) =>
        Scalar(path) is { } v ? v.GetTimeSpan(allowInfinite) : @default.GetValueOrDefault();

    public virtual IList<string> GetStringList(string path) => GetStringList(path, []);

    public virtual IList<string> GetStringList(string path, string[] defaultPaths) =>
        GetValue(path) is { } v ? v.GetStringList() : defaultPaths;

    public virtual IList<bool> GetBooleanList(string path) => List(path, v => v.GetBoolean());

    public virtual IList<decimal> GetDecimalList(string path) => List(path, v => v.GetDecimal());

    public virtual IList<float> GetFloatList(string path) => List(path, v => v.GetFloat());

    public virtual IList<double> GetDoubleList(string path) => List(path, v => v.GetDouble());

    public virtual IList<int> GetIntList(string path) => List(path, v => v.GetInt());

    public virtual IList<long> GetLongList(string path) => List(path, v => v.GetLong());

    public virtual IList<byte> GetByteList(string path) =>
        List(path, v => byte.Parse(v.GetString(), CultureInfo.InvariantCulture));

    private HoconValue Scalar(string path) => GetValue(path) is { IsNull: false, Text: not null } value ? value : null;

    private List<T> List<T>(string path, Func<HoconValue, T> read) =>
        GetValue(path)?.GetArray().Select(read).ToList() ?? [];

    public virtual Config WithFallback(Config fallback)
    {
        if (fallback is null || ReferenceEquals(fallback, this) || fallback.IsEmpty)
            return this;
        if (IsEmpty)
            return fallback;
        return new Config(_root, fallback);
    }

    public virtual IEnumerable<KeyValuePair<string, HoconValue>> AsEnumerable() => _root.Items;

    public override string ToString() => ToString(true);

    public string ToString(bool includeFallback) => (includeFallback ? _root : _own).ToString();

    public static Config operator +(Config config, string fallback) =>
        config.WithFallback(ConfigurationFactory.ParseString(fallback));

    public static Config operator +(string configHocon, Config fallbackConfig) =>
        ConfigurationFactory.ParseString(configHocon).WithFallback(fallbackConfig);

    public static implicit operator Config(string str) => ConfigurationFactory.ParseString(str);
}

/// <summary>Makes configurations.</summary>
public class ConfigurationFactory
{
    private static readonly Lazy<Config> Reference = new(() =>
        FromResource("Akka.Configuration.akka.conf", typeof(ConfigurationFactory).Assembly)
    );

    public static Config Empty => Config.Empty;

    public static Config ParseString(string hocon, Func<string, HoconRoot> includeCallback) =>
        new(HoconParser.Parse(hocon, includeCallback));

    public static Config ParseString(string hocon) => new(HoconParser.Parse(hocon));

    /// <summary>What the process was configured with: nothing, in this runtime.</summary>
    public static Config Load() => Empty;

    /// <summary>The runtime's own defaults.</summary>
    public static Config Default() => Reference.Value;

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

    public static Config FromResource<TAssembly>(string resourceName) =>
        FromResource(resourceName, typeof(TAssembly).Assembly);

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
    public static Config SafeWithFallback(this Config config, Config fallback) =>
        config is null ? fallback
        : ReferenceEquals(config, fallback) ? config
        : config.WithFallback(fallback);

    public static bool IsNullOrEmpty(this Config config) => config is null || config.IsEmpty;
}
