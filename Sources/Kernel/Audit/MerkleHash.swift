import Crypto
import FoundationEssentials

/// One SHA-256 value of the audit log's tree: a leaf, a node or a root.
///
/// Stored as four words, so that a hundred thousand of them are one flat
/// array and copying one allocates nothing. In JSON and in text it is
/// standard base64.
package struct MerkleHash: Sendable, Hashable {
    // In memory order, not as numbers: only the bytes mean something.
    private let words: (UInt64, UInt64, UInt64, UInt64)

    /// The number of bytes in a hash.
    package static let byteCount = 32

    /// Reads 32 bytes; nil for any other count.
    package init?(bytes: some Collection<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
        self.words = words
    }

    /// The same from a buffer.
    package init?(_ bytes: UnsafeBufferPointer<UInt8>) {
        guard bytes.count == Self.byteCount else { return nil }
        let raw = UnsafeRawBufferPointer(bytes)
        words = (
            raw.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
            raw.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
        )
    }

    /// Reads the padded standard base64 of 32 bytes; nil for any other
    /// spelling, so that one hash has exactly one text.
    package init?(base64: String) {
        guard let data = Data(base64Encoded: base64), data.base64EncodedString() == base64 else { return nil }
        self.init(bytes: data)
    }

    fileprivate init(_ digest: SHA256.Digest) {
        words = digest.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 16, as: UInt64.self),
                bytes.loadUnaligned(fromByteOffset: 24, as: UInt64.self)
            )
        }
    }

    /// The 32 bytes.
    package var bytes: [UInt8] { withUnsafeBytes { Array($0) } }

    /// The bytes as padded standard base64, 44 characters.
    package var base64: String { Data(bytes).base64EncodedString() }

    /// Lends the 32 bytes without copying them.
    package func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) -> Result) -> Result {
        Swift.withUnsafeBytes(of: words, body)
    }

    package static func == (left: MerkleHash, right: MerkleHash) -> Bool { left.words == right.words }

    package func hash(into hasher: inout Hasher) {
        withUnsafeBytes { hasher.combine(bytes: $0) }
    }
}

extension MerkleHash {
    /// The root of a tree without leaves: SHA-256 of nothing.
    package static let empty = MerkleHash(SHA256().finalize())

    /// The hash of one entry: SHA-256(0x00 || entry), RFC 6962 §2.1.
    ///
    /// The leading byte differs from ``node(_:_:)``, so no entry can pass
    /// for an inner node.
    package static func leaf(_ entry: some Sequence<UInt8>) -> MerkleHash {
        var hasher = SHA256()
        hasher.update(byte: 0x00)
        let contiguous: Void? = entry.withContiguousStorageIfAvailable {
            hasher.update(bufferPointer: UnsafeRawBufferPointer($0))
        }
        if contiguous == nil { hasher.update(data: Array(entry)) }
        return MerkleHash(hasher.finalize())
    }

    /// The hash over two subtrees: SHA-256(0x01 || left || right), RFC 6962
    /// §2.1.
    package static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
        var hasher = SHA256()
        hasher.update(byte: 0x01)
        left.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        right.withUnsafeBytes { hasher.update(bufferPointer: $0) }
        return MerkleHash(hasher.finalize())
    }
}

extension MerkleHash: CustomStringConvertible {
    package var description: String { base64 }
}

extension MerkleHash: Codable {
    /// Reads the base64 form; anything else is a data-corrupted error.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let hash = MerkleHash(base64: try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(
                in: container, debugDescription: "a hash is the padded base64 of 32 bytes")
        }
        self = hash
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(base64)
    }
}

extension SHA256 {
    fileprivate mutating func update(byte: UInt8) {
        withUnsafeBytes(of: byte) { update(bufferPointer: $0) }
    }
}
