using System.Collections.Concurrent;
using Akka.Event;

namespace Akka.Actor;

public sealed partial class ActorSystemImpl
{
    private readonly ConcurrentDictionary<Type, Lazy<object>> _extensions = new();

    /// <inheritdoc/>
    public override object RegisterExtension(IExtensionId extension)
    {
        ArgumentNullException.ThrowIfNull(extension);
        var made = _extensions.GetOrAdd(
            extension.ExtensionType,
            static (_, args) => new Lazy<object>(() => args.extension.CreateExtension(args.system)),
            (extension, system: this)
        );
        try
        {
            return made.Value;
        }
        catch
        {
            // One that could not be made may be tried again.
            _extensions.TryRemove(new KeyValuePair<Type, Lazy<object>>(extension.ExtensionType, made));
            throw;
        }
    }

    /// <inheritdoc/>
    public override object GetExtension(IExtensionId extensionId)
    {
        TryGetExtension(extensionId.ExtensionType, out var found);
        return found;
    }

    /// <inheritdoc/>
    public override T GetExtension<T>()
    {
        TryGetExtension<T>(out var found);
        return found;
    }

    /// <inheritdoc/>
    public override bool HasExtension(Type type) => _extensions.ContainsKey(type);

    /// <inheritdoc/>
    public override bool HasExtension<T>() => HasExtension(typeof(T));

    /// <inheritdoc/>
    public override bool TryGetExtension(Type extensionType, out object extension)
    {
        extension = _extensions.TryGetValue(extensionType, out var made) ? made.Value : null;
        return extension is not null;
    }

    /// <inheritdoc/>
    public override bool TryGetExtension<T>(out T extension)
    {
        var found = TryGetExtension(typeof(T), out var made);
        extension = made as T;
        return found;
    }

    private void LoadExtensions()
    {
        foreach (var name in Settings.Config.GetStringList("akka.extensions"))
        {
            var type = Type.GetType(name);
            if (type is null || !typeof(IExtensionId).IsAssignableFrom(type))
            {
                Log.Log(LogLevel.ErrorLevel, null, $"[{name}] is not an 'ExtensionId', skipping...");
                continue;
            }
            try
            {
                RegisterExtension((IExtensionId)Activator.CreateInstance(type));
            }
            catch (Exception e)
            {
                Log.Log(LogLevel.ErrorLevel, e, $"While trying to load extension [{name}], skipping...");
            }
        }
    }
}
