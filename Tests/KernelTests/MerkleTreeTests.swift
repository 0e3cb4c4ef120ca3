import FoundationEssentials
import Kernel
import PlatformSupport
import Testing

@Suite struct MerkleTreeTests {
    /// The entries and roots of the Certificate Transparency reference tests.
    static let entries: [[UInt8]] = [
        [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
        [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
        [0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6A, 0x6B, 0x6C, 0x6D, 0x6E, 0x6F],
    ]
    static let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ]
    static let leaves = entries.map { MerkleHash.leaf($0) }

    @Test(arguments: 0...8)
    func rootsAreThoseOfTheReference(size: Int) {
        let leaves = Self.leaves.prefix(size)
        var frontier = MerkleFrontier()
        frontier.append(contentsOf: leaves)
        #expect(hex(MerkleTree.root(of: leaves)) == Self.roots[size])
        #expect(hex(frontier.root) == Self.roots[size])
    }

    @Test func joinedFrontiersAreTheFrontierOfAllLeaves() {
        let leaves = (0..<80).map { MerkleHash.leaf([UInt8($0)]) }
        func frontier(_ range: Range<Int>) -> MerkleFrontier {
            var frontier = MerkleFrontier()
            frontier.append(contentsOf: leaves[range])
            return frontier
        }
        for left in 0...40 {
            for right in 0...40 {
                // The largest subtree of the right must fall on a multiple of its size.
                let largest = right == 0 ? 1 : 1 << (Int.bitWidth - 1 - right.leadingZeroBitCount)
                let joined = frontier(0..<left).joined(frontier(left..<left + right))
                let expected = left % largest == 0 ? frontier(0..<left + right) : nil
                #expect(joined == expected, "\(left) and \(right)")
            }
        }
    }

    @Test(arguments: [
        (0, 1, []),
        (0, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
        (5, 8, ["bc1a0643", "ca854ea1", "d37ee418"]),
        (2, 3, ["fac54203"]),
        (1, 5, ["6e340b9c", "5f083f0a", "bc1a0643"]),
    ])
    func inclusionProofsAreThoseOfTheReference(index: Int, size: Int, expected: [String]) throws {
        let leaves = Array(Self.leaves.prefix(size))
        let proof = try #require(MerkleTree.inclusionProof(of: index, in: leaves))
        #expect(proof.map { hex($0).prefix(8) } == expected.map { $0[...] })
        let root = MerkleTree.root(of: leaves)
        #expect(MerkleTree.isIncluded(leaves[index], at: index, size: size, root: root, proof: proof))
    }

    @Test(arguments: [
        (1, 1, []),
        (1, 8, ["96a296d2", "5f083f0a", "6b47aaf2"]),
        (6, 8, ["0ebc5d34", "ca854ea1", "d37ee418"]),
        (2, 5, ["5f083f0a", "bc1a0643"]),
    ])
    func consistencyProofsAreThoseOfTheReference(old: Int, new: Int, expected: [String]) throws {
        let proof = try #require(MerkleTree.consistencyProof(from: old, to: Array(Self.leaves.prefix(new))))
        #expect(proof.map { hex($0).prefix(8) } == expected.map { $0[...] })
    }

    @Test func theFrontierAgreesWithTheDefinitionForEverySizeTo300() throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        let leaves = (0..<300).map { _ in randomHash(&random) }
        var frontier = MerkleFrontier()
        for size in 0...300 {
            #expect(frontier.size == size)
            #expect(frontier.root == definedRoot(leaves[..<size]), "size \(size), seed \(seed)")
            let stored = try JSONEncoder().encode(frontier)
            frontier = try JSONDecoder().decode(MerkleFrontier.self, from: stored)
            if size < 300 { frontier.append(leaves[size]) }
        }
    }

    @Test func everyProofProvesAndNoneProvesAnythingElse() throws {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        let all = (0..<40).map { _ in randomHash(&random) }
        for size in 1...all.count {
            let leaves = Array(all.prefix(size))
            let root = MerkleTree.root(of: leaves)
            for index in 0..<size {
                let proof = try #require(MerkleTree.inclusionProof(of: index, in: leaves))
                let comment: Comment = "leaf \(index) of \(size), seed \(seed)"
                func isIncluded(_ leaf: MerkleHash, _ index: Int, _ proof: [MerkleHash]) -> Bool {
                    MerkleTree.isIncluded(leaf, at: index, size: size, root: root, proof: proof)
                }
                #expect(isIncluded(leaves[index], index, proof), comment)
                #expect(!isIncluded(randomHash(&random), index, proof), comment)
                #expect(!isIncluded(leaves[index], index ^ 1, proof) || size == 1, comment)
                #expect(!isIncluded(leaves[index], index, proof + [root]), comment)
                #expect(!isIncluded(leaves[index], index, proof.dropLast()) || size == 1, comment)
                #expect(!MerkleTree.isIncluded(leaves[index], at: size, size: size, root: root, proof: proof))
                if let position = proof.indices.randomElement(using: &random) {
                    var broken = proof
                    broken[position] = randomHash(&random)
                    #expect(!isIncluded(leaves[index], index, broken), comment)
                }
            }
            for old in 0...size {
                let oldRoot = MerkleTree.root(of: leaves.prefix(old))
                let proof = try #require(MerkleTree.consistencyProof(from: old, to: leaves))
                let comment: Comment = "\(old) to \(size), seed \(seed)"
                func isConsistent(_ oldRoot: MerkleHash, _ root: MerkleHash, _ proof: [MerkleHash]) -> Bool {
                    MerkleTree.isConsistent(from: old, oldRoot, to: size, root, proof: proof)
                }
                #expect(isConsistent(oldRoot, root, proof), comment)
                #expect(!isConsistent(randomHash(&random), root, proof), comment)
                #expect(!isConsistent(oldRoot, randomHash(&random), proof) || old == 0, comment)
                #expect(!isConsistent(oldRoot, root, proof + [root]), comment)
                #expect(proof.isEmpty || !isConsistent(oldRoot, root, proof.dropLast()), comment)
                if let position = proof.indices.randomElement(using: &random) {
                    var broken = proof
                    broken[position] = randomHash(&random)
                    #expect(!isConsistent(oldRoot, root, broken), comment)
                }
            }
        }
    }

    @Test func aProofForAnotherSizeIsNoProof() throws {
        let root = MerkleTree.root(of: Self.leaves)
        let proof = try #require(MerkleTree.inclusionProof(of: 0, in: Self.leaves))
        let grown = try #require(MerkleTree.consistencyProof(from: 2, to: Self.leaves))
        let old = MerkleTree.root(of: Self.leaves.prefix(2))
        for size in [4, 16, 17, 32] {
            #expect(
                !MerkleTree.isIncluded(Self.leaves[0], at: 0, size: size, root: root, proof: proof), "\(size)"
            )
            #expect(!MerkleTree.isConsistent(from: 2, old, to: size, root, proof: grown), "\(size)")
        }
    }

    @Test func whatIsNotThereHasNoProof() {
        #expect(MerkleTree.inclusionProof(of: 8, in: Self.leaves) == nil)
        #expect(MerkleTree.inclusionProof(of: -1, in: Self.leaves) == nil)
        #expect(MerkleTree.inclusionProof(of: 0, in: []) == nil)
        #expect(MerkleTree.consistencyProof(from: 9, to: Self.leaves) == nil)
        #expect(MerkleTree.consistencyProof(from: -1, to: Self.leaves) == nil)
        let root = MerkleTree.root(of: Self.leaves)
        #expect(!MerkleTree.isConsistent(from: 9, root, to: 8, root, proof: []))
    }

    @Test func aFrontierThatDoesNotFitItsSizeIsRefused() {
        #expect(MerkleFrontier(size: 3, hashes: [.empty]) == nil)
        #expect(MerkleFrontier(size: -1, hashes: []) == nil)
        #expect(throws: DecodingError.self) {
            try JSONDecoder().decode(MerkleFrontier.self, from: Data(#"{"size":1,"hashes":[]}"#.utf8))
        }
    }

    @Test func aHashHasOneTextAndOneBytesForm() throws {
        let text = "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="
        let hash = try #require(MerkleHash(base64: text))
        #expect(hash == Self.leaves[0])
        #expect(hash.base64 == text)
        #expect(MerkleHash(bytes: hash.bytes) == hash)
        #expect(MerkleHash(bytes: hash.bytes.dropLast()) == nil)
        #expect(MerkleHash(base64: String(text.dropLast())) == nil)
        // The last character's two low bits are not part of the 32 bytes.
        #expect(MerkleHash(base64: "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB1=") == nil)
    }
}

/// MTH as RFC 6962 §2.1 writes it down.
private func definedRoot(_ leaves: ArraySlice<MerkleHash>) -> MerkleHash {
    guard let first = leaves.first else { return .empty }
    if leaves.count == 1 { return first }
    var split = 1
    while split * 2 < leaves.count { split *= 2 }
    let middle = leaves.startIndex + split
    return .node(definedRoot(leaves[..<middle]), definedRoot(leaves[middle...]))
}

private func randomHash(_ random: inout SeededGenerator) -> MerkleHash {
    .leaf((0..<8).map { _ in UInt8.random(in: 0...255, using: &random) })
}

private func hex(_ hash: MerkleHash) -> String {
    hash.bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
}
