import Kernel
import Storage

/// Rows of `used_challenges`: tokens of the second step that have signed somebody in.
enum ChallengeUse {
    /// - Returns: false when the token was used before.
    static func add(_ challenge: ChallengeToken, _ tx: Transaction) throws -> Bool {
        try tx.run(
            """
            INSERT INTO used_challenges (jti, expires_at) VALUES (\(challenge.jti), \(challenge.expiresAt))
            ON CONFLICT DO NOTHING
            """
        ).affected > 0
    }
}
