using Iommufd.Core.Pages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class SpanIndexTests
{
    private readonly List<(ulong First, ulong Last, ulong Key)> _list = [];
    private SpanIndex<string> _index;

    [Theory]
    [InlineData(1, 8)]
    [InlineData(2, 17)]
    [InlineData(3, 60)]
    public void Intervals_are_found_as_in_a_list(int seed, int most)
    {
        var random = new Random(seed);
        ulong key = 100;
        for (int step = 0; step < 400; step++)
        {
            if (_list.Count == 0 || (_list.Count < most && random.Next(3) > 0))
            {
                ulong first = (ulong)random.Next(30);
                // Keys start again, so that intervals with an equal first index are not in the order of arrival.
                Add(first, first + (ulong)random.Next(8), (key += 7) % 1009);
            }
            else
            {
                Remove(random.Next(_list.Count));
            }

            Compare();
        }
    }

    [Fact]
    public void A_key_is_found_after_there_were_many()
    {
        for (ulong key = 0; key < 40; key++)
        {
            Add(key / 3, key, key * 7);
        }

        Compare();
        for (int left = 40; left > 0; left--)
        {
            Remove(left / 2);
            Compare();
        }
    }

    [Fact]
    public void A_key_may_come_again_after_its_interval_went()
    {
        for (ulong key = 0; key < 40; key++)
        {
            Add(key / 3, key, key * 7);
        }

        // From here on the index knows the place of each key.
        Compare();
        Remove(20);
        Add(3, 9, 20 * 7);

        Compare();
    }

    private void Add(ulong first, ulong last, ulong key)
    {
        _index.Add(first, last, key, $"{first} {last}");
        _list.Add((first, last, key));
    }

    private void Remove(int at)
    {
        _index.RemoveAt(_index.IndexOfKey(_list[at].Key));
        _list.RemoveAt(at);
    }

    private void Compare()
    {
        _index.CheckInvariants();
        Assert.Equal(_list.Count, _index.Count);
        foreach ((ulong first, ulong last, ulong key) in _list)
        {
            int at = _index.IndexOfKey(key);
            Assert.Equal((first, last), (_index.FirstOf(at), _index.LastOf(at)));
            Assert.Equal($"{first} {last}", _index.ValueOf(at));
            Assert.Equal(at, _index.IndexOf(first, key));
            Assert.Equal(-1, _index.IndexOf(first + 1, key));
            Assert.Equal(-1, _index.IndexOf(first, key + 1));
        }

        Assert.Equal(-1, _index.IndexOfKey(5000));
        for (ulong index = 0; index < 45; index++)
        {
            int at = _index.Containing(index);
            Assert.Equal(_list.Exists(i => i.First <= index && i.Last >= index), at >= 0);
            Assert.True(at < 0 || (_index.FirstOf(at) <= index && _index.LastOf(at) >= index));
            ulong next = _list.Select(i => i.First).Where(f => f > index).DefaultIfEmpty(ulong.MaxValue).Min();
            Assert.Equal(next, _index.NextFirst(index));
        }
    }
}
