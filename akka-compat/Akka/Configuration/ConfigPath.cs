using System.Text;

namespace Akka.Configuration.Hocon;

/// <summary>Dotted paths, with quotes around elements that hold dots themselves.</summary>
internal static class ConfigPath
{
    internal static HoconValue Find(HoconObject root, string path)
    {
        HoconValue found = null;
        var current = root;
        foreach (var key in Split(path))
        {
            if (current is null)
                return null;
            found = current.GetKey(key);
            if (found is null)
                return null;
            current = found.AsObject;
        }
        return found;
    }

    internal static List<string> Split(string path)
    {
        var keys = new List<string>();
        var part = new StringBuilder();
        var quoted = false;
        foreach (var c in path)
        {
            if (c == '"')
            {
                quoted = !quoted;
            }
            else if (c == '.' && !quoted)
            {
                keys.Add(part.ToString());
                part.Clear();
            }
            else
            {
                part.Append(c);
            }
        }
        keys.Add(part.ToString());
        return keys;
    }
}
