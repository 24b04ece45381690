namespace Iommufd.Core.Pages;

/// <summary>
/// Is told before pages of a process go or become less accessible, as the kernel's notifiers are. Called where the mappings are changed,
/// by one thread at a time; it must not wait.
/// </summary>
public interface IMemoryNotifier
{
    /// <summary>The process may not have these pages much longer.</summary>
    /// <param name="first">The first address.</param>
    /// <param name="last">The last address, inclusive.</param>
    void PagesGo(ulong first, ulong last);
}
