using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>Four words that stand for a cache of the selftest's mock hardware: invalidating one makes it zero.</summary>
/// <param name="initial">What each holds at first.</param>
internal sealed class MockWords(uint initial)
{
    /// <summary>Number of words.</summary>
    public const int Count = 4;

    private readonly uint[] _words = [initial, initial, initial, initial];

    /// <summary>Zeroes words; bit n is word n.</summary>
    public void Zero(uint mask)
    {
        for (var i = 0; i < Count; i++)
        {
            if ((mask & (1u << i)) != 0)
            {
                _words[i] = 0;
            }
        }
    }

    /// <summary>EINVAL for another value, or a word that is not there.</summary>
    public FlowResponse Check(CheckWord check) =>
        check.Word < Count && _words[check.Word] == check.Value ? FlowResponse.Done : FlowResponse.Fail(Errno.EINVAL);

    /// <inheritdoc/>
    public override string ToString() =>
        FormattableString.Invariant($"{_words[0]:x} {_words[1]:x} {_words[2]:x} {_words[3]:x}");
}
