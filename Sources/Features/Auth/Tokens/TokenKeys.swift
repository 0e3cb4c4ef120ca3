import JWTKit
import Kernel

/// Signs JSON web tokens (RFC 7519) with HS256 and checks them, for one purpose.
///
/// The header's `kid` is the version of the key, so a token of an older version is
/// good until it expires.
struct TokenKeys: Sendable {
    private let keys: JWTKeyCollection
    private let current: JWKIdentifier

    init(_ secrets: SecretKeys, purpose: String) async throws {
        guard let signing = secrets.signing(purpose) else {
            throw Failure(.internal, "There is no key for '\(purpose)'.")
        }
        keys = JWTKeyCollection()
        current = JWKIdentifier(string: signing.name)
        for known in secrets.verifying(purpose) {
            await keys.add(
                hmac: HMACKey(key: known.key), digestAlgorithm: .sha256,
                kid: JWKIdentifier(string: known.name))
        }
    }

    func sign(_ claims: some JWTPayload) async throws -> String {
        try await keys.sign(claims, kid: current)
    }

    /// What a token says, if it is one of ours; whether it has expired is the caller's to ask.
    func claims<Claims: JWTPayload>(_ text: String, as: Claims.Type) async -> Claims? {
        // Our own are far shorter; nothing longer is worth the work.
        guard text.utf8.count <= 2_048 else { return nil }
        return try? await keys.verify(text, as: Claims.self)
    }
}
