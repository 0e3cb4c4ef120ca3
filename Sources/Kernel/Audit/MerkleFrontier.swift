/// What must be remembered of a tree to append to it: one hash for every
/// full subtree on its right edge.
///
/// A tree of `size` leaves splits into full subtrees whose sizes are the
/// powers of two in `size`, largest first; the frontier holds their roots,
/// never more than 64. Appending needs no other leaf or node, so sealing N
/// new entries reads nothing but the frontier of the last checkpoint.
package struct MerkleFrontier: Sendable, Hashable {
    /// The number of leaves appended so far.
    package private(set) var size: Int
    /// The roots of the full subtrees, largest (leftmost) first.
    package private(set) var hashes: [MerkleHash]

    /// The frontier of a tree without leaves.
    package init() {
        size = 0
        hashes = []
    }

    /// A frontier that was stored; nil if `size` does not split into as many
    /// subtrees as there are hashes.
    package init?(size: Int, hashes: [MerkleHash]) {
        guard size >= 0, hashes.count == size.nonzeroBitCount else { return nil }
        self.size = size
        self.hashes = hashes
    }

    /// Adds one leaf at the right; constant time on average.
    package mutating func append(_ leaf: MerkleHash) { append(leaf, level: 0) }

    /// Adds leaves from left to right.
    package mutating func append(contentsOf leaves: some Sequence<MerkleHash>) {
        for leaf in leaves { append(leaf) }
    }

    /// The tree of both, one after the other, from their frontiers alone. Nil
    /// unless every full subtree of `right` stands where it would stand in the
    /// tree of both, as when this size is a multiple of a power of two that is
    /// not smaller than the other.
    package func joined(_ right: MerkleFrontier) -> MerkleFrontier? {
        var joined = self
        for (hash, level) in zip(right.hashes, right.levels) {
            guard joined.size.trailingZeroBitCount >= level else { return nil }
            joined.append(hash, level: level)
        }
        return joined
    }

    /// Adds a full subtree of `1 << level` leaves.
    private mutating func append(_ root: MerkleHash, level: Int) {
        var hash = root
        // A one bit at this level of the old size is a full subtree as large as
        // the one in hand: both become one, as in adding one to a binary number.
        for _ in 0..<(size >> level).trailingOneBitCount {
            hash = .node(hashes.removeLast(), hash)
        }
        hashes.append(hash)
        size += 1 << level
    }

    /// The heights of the full subtrees, largest first.
    private var levels: [Int] {
        (0..<Int.bitWidth).reversed().filter { size >> $0 & 1 == 1 }
    }

    /// The root of the tree over everything appended so far.
    package var root: MerkleHash {
        guard var root = hashes.last else { return .empty }
        for hash in hashes.dropLast().reversed() { root = .node(hash, root) }
        return root
    }
}

extension MerkleFrontier: Codable {
    private enum CodingKeys: String, CodingKey {
        case size, hashes
    }

    /// Reads `{"size": n, "hashes": [base64, …]}`; a size that does not fit
    /// the hashes is a data-corrupted error.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        let size = try container.decode(Int.self, forKey: .size)
        let hashes = try container.decode([MerkleHash].self, forKey: .hashes)
        guard let frontier = MerkleFrontier(size: size, hashes: hashes) else {
            throw DecodingError.dataCorruptedError(
                forKey: .hashes, in: container,
                debugDescription: "a tree of \(size) leaves does not have \(hashes.count) full subtrees")
        }
        self = frontier
    }
}

extension Int {
    fileprivate var trailingOneBitCount: Int { (~self).trailingZeroBitCount }
}
