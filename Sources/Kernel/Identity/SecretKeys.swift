package import Crypto
import FoundationEssentials

/// The process's keys for secrets that it has to read again, and for tokens that it signs.
///
/// Every key is derived with HKDF-SHA256 (RFC 5869) from one root per version, for
/// one purpose: what was made for one purpose is nothing for another. New secrets
/// use the current version; older versions still open and verify, so a root is
/// changed by adding a version and dropped when nothing of it is left.
package struct SecretKeys: Sendable {
    /// A key that signs, and the version by which its signatures are known.
    package struct Signing: Sendable {
        package let version: Int
        package let key: SymmetricKey
        /// The `kid` of a JSON web token (RFC 7515 §4.1.4).
        package var name: String { "v\(version)" }
    }

    /// The version that new secrets use.
    package let current: Int
    private let roots: [Int: SymmetricKey]

    /// Bytes of a root, and of every key derived from it.
    package static let length = 32

    /// - Throws: ``Failure/Code/invalidInput`` when the current version has no root or
    ///   a root is not ``length`` bytes long.
    package init(current: Int, roots: [Int: [UInt8]]) throws {
        guard roots[current] != nil, roots.values.allSatisfy({ $0.count == Self.length }) else {
            throw Failure(.invalidInput, "Each version of the secret keys needs \(Self.length) bytes.")
        }
        self.current = current
        self.roots = roots.mapValues { SymmetricKey(data: $0) }
    }

    private init(root: SymmetricKey) { (current, roots) = (1, [1: root]) }

    /// Keys that nobody has again: for tests and for programs that keep no secrets.
    package static func random() -> SecretKeys { SecretKeys(root: SymmetricKey(size: .bits256)) }

    /// `v<version>.<base64url of nonce, ciphertext and tag>`, by AES-256-GCM.
    ///
    /// - Parameter purpose: also what it belongs to, `totp/<user id>` say, so that it
    ///   is of no use in another's row.
    package func seal(_ secret: [UInt8], purpose: String) throws -> String {
        guard let key = key("seal", purpose, current) else { throw Self.unusable }
        let box = try AES.GCM.seal(secret, using: key, authenticating: Self.bytes(purpose))
        guard let combined = box.combined else { throw Self.unusable }
        return "v\(current)." + Secrets.base64URL(Array(combined))
    }

    /// - Throws: ``Failure/Code/internal`` for what was not sealed for this purpose by
    ///   a version that is still known.
    package func open(_ text: String, purpose: String) throws -> [UInt8] {
        let parts = text.split(separator: ".", maxSplits: 1)
        guard parts.count == 2, let version = Self.version(parts[0]), let key = key("seal", purpose, version),
            let bytes = Secrets.bytes(base64URL: String(parts[1])),
            let box = try? AES.GCM.SealedBox(combined: bytes),
            let secret = try? AES.GCM.open(box, using: key, authenticating: Self.bytes(purpose))
        else { throw Self.unusable }
        return Array(secret)
    }

    /// The key that signs for a purpose now.
    package func signing(_ purpose: String) -> Signing? {
        key("sign", purpose, current).map { Signing(version: current, key: $0) }
    }

    /// Every key that may have signed for a purpose, newest first.
    package func verifying(_ purpose: String) -> [Signing] {
        roots.keys.sorted(by: >).compactMap { version in
            key("sign", purpose, version).map { Signing(version: version, key: $0) }
        }
    }

    private func key(_ use: String, _ purpose: String, _ version: Int) -> SymmetricKey? {
        roots[version].map { root in
            HKDF<SHA256>.deriveKey(
                inputKeyMaterial: root, info: Self.bytes("\(use)/\(purpose)"), outputByteCount: Self.length)
        }
    }

    private static func bytes(_ text: String) -> Data { Data(text.utf8) }

    private static func version(_ text: Substring) -> Int? {
        text.first == "v" ? Int(text.dropFirst()) : nil
    }

    private static var unusable: Failure { Failure(.internal, "A stored secret cannot be read.") }
}
