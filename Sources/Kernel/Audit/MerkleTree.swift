/// The Merkle tree of the audit log: roots, proofs and their checks.
///
/// Pure functions over leaf hashes, as in RFC 6962 §2.1; the checks are the
/// algorithms of RFC 9162 §2.1.3.2 and §2.1.4.2, which agree with it. An
/// inclusion proof shows that one entry is in the tree with a given root; a
/// consistency proof shows that a tree only grew from an older one: nothing
/// edited, removed, inserted or reordered.
package enum MerkleTree {
    /// The root over leaf hashes; ``MerkleHash/empty`` over none.
    package static func root(of leaves: some Sequence<MerkleHash>) -> MerkleHash {
        var frontier = MerkleFrontier()
        frontier.append(contentsOf: leaves)
        return frontier.root
    }

    /// The sibling hashes from the leaf at `index` up to the root: PATH of
    /// RFC 6962 §2.1.1. Nil if there is no such leaf.
    ///
    /// Hashes every leaf once. Empty for a tree of one leaf.
    package static func inclusionProof(of index: Int, in leaves: [MerkleHash]) -> [MerkleHash]? {
        guard leaves.indices.contains(index) else { return nil }
        var proof: [MerkleHash] = []
        var range = leaves[...]
        while range.count > 1 {
            let middle = range.startIndex + largestPowerOfTwo(below: range.count)
            if index < middle {
                proof.append(root(of: range[middle...]))
                range = range[..<middle]
            } else {
                proof.append(root(of: range[..<middle]))
                range = range[middle...]
            }
        }
        return proof.reversed()
    }

    /// The hashes that lead from the root of the first `oldSize` leaves to
    /// the root of all of them: PROOF of RFC 6962 §2.1.2. Nil if there are
    /// fewer leaves than `oldSize`, or if it is negative.
    ///
    /// Empty when `oldSize` is zero or the number of leaves: there is
    /// nothing to prove beyond the roots themselves.
    package static func consistencyProof(from oldSize: Int, to leaves: [MerkleHash]) -> [MerkleHash]? {
        guard oldSize >= 0, oldSize <= leaves.count else { return nil }
        guard oldSize > 0 else { return [] }
        var proof: [MerkleHash] = []
        var range = leaves[...]
        // The old tree's root is known to whoever checks the proof, so a
        // subtree that is exactly the old tree is left out.
        var isOldRoot = true
        while range.endIndex != oldSize {
            let middle = range.startIndex + largestPowerOfTwo(below: range.count)
            if oldSize <= middle {
                proof.append(root(of: range[middle...]))
                range = range[..<middle]
            } else {
                proof.append(root(of: range[..<middle]))
                range = range[middle...]
                isOldRoot = false
            }
        }
        if !isOldRoot { proof.append(root(of: range)) }
        return proof.reversed()
    }

    /// Whether `proof` shows that `leaf` is at `index` in the tree of `size`
    /// leaves with this root (RFC 9162 §2.1.3.2).
    package static func isIncluded(
        _ leaf: MerkleHash, at index: Int, size: Int, root: MerkleHash, proof: [MerkleHash]
    ) -> Bool {
        guard index >= 0, index < size else { return false }
        var node = index
        var last = size - 1
        var hash = leaf
        for sibling in proof {
            guard last > 0 else { return false }
            if node & 1 == 1 || node == last {
                hash = .node(sibling, hash)
                skipLevelsWithoutSibling(&node, &last)
            } else {
                hash = .node(hash, sibling)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && hash == root
    }

    /// Whether `proof` shows that the tree of `newSize` leaves begins with
    /// the tree of `oldSize` leaves (RFC 9162 §2.1.4.2).
    ///
    /// Every tree begins with the empty one, and one of the same size only
    /// with itself; both take an empty proof.
    package static func isConsistent(
        from oldSize: Int, _ oldRoot: MerkleHash, to newSize: Int, _ newRoot: MerkleHash, proof: [MerkleHash]
    ) -> Bool {
        guard oldSize >= 0, oldSize <= newSize else { return false }
        if oldSize == newSize { return proof.isEmpty && oldRoot == newRoot }
        if oldSize == 0 { return proof.isEmpty && oldRoot == .empty }

        var path = proof[...]
        // An old tree that is a full subtree of the new one is its own first
        // hash; otherwise the proof brings it.
        let isFullSubtree = oldSize.nonzeroBitCount == 1
        guard let first = isFullSubtree ? oldRoot : path.popFirst() else { return false }
        var node = oldSize - 1
        var last = newSize - 1
        while node & 1 == 1 {
            node >>= 1
            last >>= 1
        }
        var old = first
        var new = first
        for hash in path {
            guard last > 0 else { return false }
            if node & 1 == 1 || node == last {
                old = .node(hash, old)
                new = .node(hash, new)
                skipLevelsWithoutSibling(&node, &last)
            } else {
                new = .node(new, hash)
            }
            node >>= 1
            last >>= 1
        }
        return last == 0 && old == oldRoot && new == newRoot
    }

    /// The rightmost node of a level with an odd count has no sibling there
    /// and moves up unchanged; the proof has nothing for those levels.
    private static func skipLevelsWithoutSibling(_ node: inout Int, _ last: inout Int) {
        while node & 1 == 0, node != 0 {
            node >>= 1
            last >>= 1
        }
    }

    /// The largest power of two smaller than `count`, which is at least two:
    /// where RFC 6962 splits a range.
    private static func largestPowerOfTwo(below count: Int) -> Int {
        1 << (Int.bitWidth - 1 - (count - 1).leadingZeroBitCount)
    }
}
