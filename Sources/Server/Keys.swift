import Crypto
import Foundation
package import Kernel

/// The process's secrets: one Ed25519 seed, from which the rest is derived.
///
/// Taken from `AUDIT_SIGNING_KEY`, which N processes over one database must
/// share, or from a file in the data folder that only its owner can read.
package struct Keys: Sendable {
    /// Signs the audit log's checkpoints.
    package let signer: NoteSigner
    /// Seals secrets at rest and signs people's tokens.
    package let secrets: SecretKeys
    private let stateKey: SymmetricKey

    package static func load(_ configuration: Kernel.Configuration) throws -> Keys {
        let seed: [UInt8]
        if let text = configuration.auditSigningKey {
            guard let bytes = Secrets.bytes(base64URL: text), bytes.count == 32 else {
                throw Failure.invalid([
                    .init("AUDIT_SIGNING_KEY", "must be 32 bytes in base64url without padding")
                ])
            }
            seed = bytes
        } else {
            seed = try fileSeed(configuration.dataDirectory + "/keys", "audit-signing.key")
        }
        return try Keys(seed: seed, origin: configuration.auditOrigin, secretKeys: configuration.secretKeys)
    }

    /// - Parameter secretKeys: as in the setting `SECRET_KEYS`.
    init(seed: [UInt8], origin: String, secretKeys: [String] = []) throws {
        guard let signer = NoteSigner(name: origin, seed: seed) else {
            throw Failure.invalid([.init("AUDIT_LOG_ORIGIN", "must not contain white space or '+'")])
        }
        self.signer = signer
        secrets = try Self.secrets(seed, secretKeys)
        stateKey = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: seed), info: Data("mcp-state".utf8), outputByteCount: 32)
    }

    /// `2:<base64url of 32 bytes>`, `1:derived`: a version and its root, the current one
    /// first. Without any, version 1 is derived from the seed.
    private static func secrets(_ seed: [UInt8], _ texts: [String]) throws -> SecretKeys {
        let derived = HKDF<SHA256>.deriveKey(
            inputKeyMaterial: SymmetricKey(data: seed), info: Data("secrets".utf8),
            outputByteCount: SecretKeys.length
        ).withUnsafeBytes { Array($0) }
        var roots: [Int: [UInt8]] = [:]
        var current: Int?
        for text in texts {
            let parts = text.split(separator: ":", maxSplits: 1)
            let bytes = parts.count == 2 ? Secrets.bytes(base64URL: String(parts[1])) : nil
            let root = parts.last == "derived" ? derived : bytes
            guard parts.count == 2, let version = Int(parts[0]), version > 0, roots[version] == nil,
                let root, root.count == SecretKeys.length
            else {
                throw Failure.invalid([
                    .init("SECRET_KEYS", "must be a list such as 2:<32 bytes in base64url>,1:derived")
                ])
            }
            roots[version] = root
            current = current ?? version
        }
        return try SecretKeys(current: current ?? 1, roots: roots.isEmpty ? [1: derived] : roots)
    }

    /// Authenticates states that travel through clients.
    package func sign(_ message: [UInt8]) -> [UInt8] {
        Array(HMAC<SHA256>.authenticationCode(for: message, using: stateKey))
    }

    /// What a page of ours sends back with calls that change something; bound to its session.
    func pageToken(session: String) -> String { Secrets.base64URL(sign(Array("page-token:\(session)".utf8))) }

    private static func fileSeed(_ folder: String, _ name: String) throws -> [UInt8] {
        try Folder.make(folder, permissions: 0o700)
        let path = folder + "/" + name
        if let text = try? String(contentsOfFile: path, encoding: .utf8) {
            guard let bytes = Secrets.bytes(base64URL: text.filter { !$0.isWhitespace }), bytes.count == 32
            else {
                throw Failure(
                    .conflict, "The key file \(path) is damaged.",
                    hint: "Restore it from a backup: without it the sealed audit log cannot be extended.")
            }
            return bytes
        }
        let seed = Array(Curve25519.Signing.PrivateKey().rawRepresentation)
        let made = FileManager.default.createFile(
            atPath: path, contents: Data((Secrets.base64URL(seed) + "\n").utf8),
            attributes: [.posixPermissions: 0o600])
        guard made else { throw Failure(.unavailable, "The key file \(path) cannot be written.") }
        return seed
    }
}

/// Folders of the data directory.
enum Folder {
    static func make(_ path: String, permissions: Int = 0o755) throws {
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: permissions])
        } catch {
            throw Failure(
                .unavailable, "The folder \(path) cannot be made.", hint: "Choose another one with --data.",
                cause: error)
        }
    }
}
