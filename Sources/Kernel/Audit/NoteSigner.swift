import Crypto
import FoundationEssentials

/// The private half of a key that signs notes.
///
/// Never has a text form: it prints as its public half, and its 32 bytes
/// leave it only through ``seed``.
package struct NoteSigner: Sendable {
    /// What others check this key's signatures with.
    package let verifier: NoteVerifier
    private let privateKey: Curve25519.Signing.PrivateKey

    /// A key from its 32 secret bytes; nil if there are not 32 of them or
    /// the name has white space or a plus sign.
    package init?(name: String, seed: [UInt8]) {
        guard let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
            let verifier = NoteVerifier(name: name, publicKey: key.publicKey)
        else { return nil }
        self.verifier = verifier
        privateKey = key
    }

    /// A new random key; nil if the name has white space or a plus sign.
    package init?(name: String) {
        self.init(name: name, seed: Array(Curve25519.Signing.PrivateKey().rawRepresentation))
    }

    /// The 32 secret bytes, to be kept where secrets are kept.
    package var seed: [UInt8] { Array(privateKey.rawRepresentation) }

    /// Signs bytes; nil only if the cryptographic library fails.
    package func signature(over text: [UInt8]) -> SignedNote.Signature? {
        guard let bytes = try? privateKey.signature(for: text) else { return nil }
        return SignedNote.Signature(name: verifier.name, keyHash: verifier.keyHash, bytes: Array(bytes))
    }
}

extension NoteSigner: CustomStringConvertible {
    package var description: String { verifier.description }
}
