import Crypto
import FoundationEssentials

/// The public half of a key that signs notes: its name and Ed25519 key.
///
/// Its text form is the verifier key `name+hash+key`: the hash is eight
/// lower-case hexadecimal digits, the key base64 of the algorithm byte 0x01
/// and the 32 bytes of the public key. This is what an operator keeps
/// outside of the database to check checkpoints against.
///
/// Source: c2sp.org/signed-note, "Verifier keys".
package struct NoteVerifier: Sendable {
    /// The key's name: not empty, without white space and plus signs.
    package let name: String
    /// The first four bytes of SHA-256(name || 0x0A || 0x01 || public key).
    package let keyHash: UInt32
    private let publicKey: Curve25519.Signing.PublicKey

    fileprivate static let ed25519: UInt8 = 0x01
    /// The bytes of an Ed25519 signature.
    fileprivate static let signatureByteCount = 64

    /// Reads a verifier key; nil if it is malformed, of another algorithm,
    /// or its hash does not belong to its name and key.
    package init?(_ text: String) {
        let fields = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false).map(
            String.init)
        guard fields.count == 3, let data = Data(base64Encoded: fields[2]),
            data.base64EncodedString() == fields[2], data.first == Self.ed25519,
            let key = try? Curve25519.Signing.PublicKey(rawRepresentation: data.dropFirst())
        else { return nil }
        self.init(name: fields[0], publicKey: key)
        guard hashText.utf8.elementsEqual(fields[1].utf8) else { return nil }
    }

    /// A verifier for a public key; nil if the name is not one.
    init?(name: String, publicKey: Curve25519.Signing.PublicKey) {
        guard Self.isName(name) else { return nil }
        self.name = name
        self.publicKey = publicKey
        var hasher = SHA256()
        hasher.update(data: Array(name.utf8) + [0x0A, Self.ed25519])
        hasher.update(data: publicKey.rawRepresentation)
        keyHash = hasher.finalize().prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
    }

    /// The verifier key: `name+hash+key`.
    package var description: String {
        "\(name)+\(hashText)+\((Data([Self.ed25519]) + publicKey.rawRepresentation).base64EncodedString())"
    }

    /// Whether a signature claims to be by this key.
    package func isNamed(by signature: SignedNote.Signature) -> Bool {
        signature.keyHash == keyHash && signature.name.utf8.elementsEqual(name.utf8)
    }

    /// Whether a signature is by this key and over these bytes.
    package func isValid(_ signature: SignedNote.Signature, over text: [UInt8]) -> Bool {
        isNamed(by: signature) && signature.bytes.count == Self.signatureByteCount
            && publicKey.isValidSignature(signature.bytes, for: text)
    }

    /// Whether a text may be the name of a key.
    package static func isName(_ text: String) -> Bool {
        !text.isEmpty
            && text.unicodeScalars.allSatisfy { $0 != "+" && $0.value >= 0x20 && !$0.properties.isWhitespace }
    }

    private var hashText: String {
        let digits = String(keyHash, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}

extension NoteVerifier: CustomStringConvertible {}

extension NoteVerifier: Hashable {
    package static func == (left: NoteVerifier, right: NoteVerifier) -> Bool {
        left.description == right.description
    }

    package func hash(into hasher: inout Hasher) { hasher.combine(keyHash) }
}
