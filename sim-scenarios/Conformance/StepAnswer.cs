using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance;

/// <summary>What the client saw of one step, in the words of the trace format.</summary>
internal sealed class StepAnswer
{
    private StepAnswer(Errno errno, long? value)
    {
        Ret = errno.ToString();
        IsOk = errno == Errno.OK;
        Value = IsOk ? value : null;
    }

    /// <summary><c>OK</c> or the name of the errno.</summary>
    public string Ret { get; }

    /// <summary>Whether the call succeeded.</summary>
    public bool IsOk { get; }

    /// <summary>The return value, where the format records one.</summary>
    public long? Value { get; }

    /// <summary>The outputs by name.</summary>
    public JsonObject Out { get; } = [];

    /// <summary>A call whose return value the format does not record.</summary>
    public static StepAnswer Of(Errno errno) => new(errno, null);

    /// <summary>A call whose return value the format records.</summary>
    public static StepAnswer Of(SyscallResult result) => new(result.Errno, result.Value);

    /// <summary>An ioctl whose return value the format does not record.</summary>
    public static StepAnswer Of(IoctlResult result) => new(result.Errno, null);

    /// <summary>An ioctl whose return value the format records.</summary>
    public static StepAnswer WithValue(IoctlResult result) => new(result.Errno, result.ReturnValue);
}
