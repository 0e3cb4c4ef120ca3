import CArgon2
import Kernel
import Synchronization

/// A password as it is stored: Argon2id (RFC 9106) in the PHC string format, with the
/// parameters of the domain specification §4.1.
package struct PasswordHash: Sendable, Hashable {
    /// `$argon2id$v=19$m=19456,t=2,p=1$<salt>$<hash>`.
    package let text: String

    package init(stored text: String) { self.text = text }

    private static let passes: UInt32 = 2
    private static let kibibytes: UInt32 = 19_456
    private static let lanes: UInt32 = 1
    private static let hashBytes = 32
    package static let saltBytes = 16
    private static let prefix = "$argon2id$v=19$m=\(kibibytes),t=\(passes),p=\(lanes)$"

    /// What a password is compared with when there is no such user, so that the answer
    /// takes as long: a hash that nothing has.
    package static let nobody = PasswordHash(
        stored: prefix + "bm9ib2R5LW5vYm9keS1ubw$" + String(repeating: "A", count: 43))

    /// Whether it was made with other parameters than new ones.
    package var needsRehash: Bool { !text.hasPrefix(Self.prefix) }

    /// Hashes with a new salt. Slow, and not on Swift's own threads.
    package static func make(_ password: String) async throws -> PasswordHash {
        try await make(password, salt: newSalt())
    }

    /// The same with a salt of the caller's, of ``saltBytes``.
    package static func make(_ password: String, salt: [UInt8]) async throws -> PasswordHash {
        HashCount.current?.add()
        return try await HashQueue.shared.run { PasswordHash(stored: try encoded(password, salt)) }
    }

    /// Whether it is this password; takes the same time whatever the answer.
    package func matches(_ password: String) async throws -> Bool {
        HashCount.current?.add()
        return try await HashQueue.shared.run { [text] in
            let bytes = Array(password.utf8)
            return argon2id_verify(text, bytes, bytes.count) == ARGON2_OK.rawValue
        }
    }

    /// The salt of a stored hash; nil when it is not one.
    package var salt: [UInt8]? {
        let parts = text.split(separator: "$")
        // Base64 without padding, of the other alphabet than ours.
        let standard = parts.count == 5 ? parts[3] : ""
        return Secrets.bytes(base64URL: String(standard.map { $0 == "+" ? "-" : $0 == "/" ? "_" : $0 }))
    }

    package static func newSalt() -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<saltBytes).map { _ in UInt8.random(in: 0...255, using: &generator) }
    }

    private static func encoded(_ password: String, _ salt: [UInt8]) throws -> String {
        let length = argon2_encodedlen(
            passes, kibibytes, lanes, UInt32(salt.count), UInt32(hashBytes), Argon2_id)
        let bytes = Array(password.utf8)
        var text = [CChar](repeating: 0, count: length)
        let code = argon2id_hash_encoded(
            passes, kibibytes, lanes, bytes, bytes.count, salt, salt.count, hashBytes, &text, length)
        guard code == ARGON2_OK.rawValue else {
            throw Failure(.internal, "Argon2id ended with the error \(code).")
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}

/// How many hashes a call computed. Answers that must not tell known from unknown
/// users apart are compared by this number, as time is no measure in a test.
package final class HashCount: Sendable {
    @TaskLocal package static var current: HashCount?

    private let count = Mutex(0)

    package init() {}

    package var value: Int { count.withLock { $0 } }
    func add() { count.withLock { $0 += 1 } }
}
