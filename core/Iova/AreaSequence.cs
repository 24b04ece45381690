using System.Collections;

namespace Iommufd.Core.Iova;

/// <summary>The areas of an <see cref="IovaMap"/>, ascending. Enumerating it with foreach allocates nothing.</summary>
public readonly struct AreaSequence : IEnumerable<Area>
{
    private readonly SpanTree _tree;

    internal AreaSequence(SpanTree tree) => _tree = tree;

    /// <summary>Starts at the lowest area.</summary>
    public Enumerator GetEnumerator() => new(_tree);

    /// <inheritdoc/>
    IEnumerator<Area> IEnumerable<Area>.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>Walks the areas upwards.</summary>
    public struct Enumerator : IEnumerator<Area>
    {
        private readonly SpanTree _tree;
        private readonly int _version;
        private SpanLeaf? _leaf;
        private int _index;

        internal Enumerator(SpanTree tree)
        {
            _tree = tree;
            _version = tree.Version;
            Current = null!;
            Reset();
        }

        /// <inheritdoc/>
        public Area Current { get; private set; }

        /// <inheritdoc/>
        readonly object IEnumerator.Current => Current;

        /// <inheritdoc/>
        /// <exception cref="InvalidOperationException">The map has changed since the enumeration began.</exception>
        public bool MoveNext()
        {
            if (_version != _tree.Version)
            {
                throw new InvalidOperationException("Areas were inserted or removed while they were enumerated.");
            }

            while (_leaf is not null && SpanTree.TryAdvance(ref _leaf, ref _index))
            {
                if (_leaf.Areas[_index] is { } area)
                {
                    Current = area;
                    return true;
                }
            }

            _leaf = null;
            return false;
        }

        /// <inheritdoc/>
        public void Reset()
        {
            _leaf = _tree.TryFirstEndingFrom(0, out SpanLeaf leaf, out _) ? leaf : null;
            _index = -1;
        }

        /// <inheritdoc/>
        public readonly void Dispose() { }
    }
}
