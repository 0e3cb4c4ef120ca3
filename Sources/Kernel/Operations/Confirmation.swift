import JSON
package import Storage

/// A stored promise: this actor, this call, this state, once, for ten minutes.
///
/// The token itself is never stored, only its SHA-256; it is bound to the
/// actor, the operation, the arguments and a hash of the effects that the
/// preview showed, so nothing can be swapped underneath a person's yes.
package struct Confirmation: Sendable {
    package static let lifetime = Duration.seconds(600)
    /// How long an expired promise is kept, to say what became of it.
    private static let memory = Duration.seconds(86_400)

    package var token: String
    package var expiresAt: Instant
    package var question: String
    package var effects: [EffectPreview]

    /// Stores a new promise, forgets a few old ones, and returns it with its token.
    static func issue(
        for call: CallFingerprint, effects: [EffectPreview], question: String, _ tx: Transaction,
        _ context: Context
    ) throws -> Confirmation {
        let token = "cnf_" + Secrets.random(bytes: 24)
        let expiresAt = context.now + lifetime
        try tx.run(
            """
            DELETE FROM confirmations WHERE token_hash IN (
                SELECT token_hash FROM confirmations WHERE expires_at <= \(context.now - memory)
                LIMIT 20 \(.skipLocked))
            """)
        try tx.run(
            """
            INSERT INTO confirmations (token_hash, actor, operation, arguments_hash, state_hash, created_at, \
            expires_at)
            VALUES (\(Secrets.hash(token)), \(call.actor), \(call.operation), \(call.argumentsHash), \
            \(stateHash(effects)), \(context.now), \(expiresAt))
            """)
        return Confirmation(token: token, expiresAt: expiresAt, question: question, effects: effects)
    }

    /// Uses the promise up and returns the state hash it was given for.
    /// Runs in the command's own transaction: if the command fails, the token
    /// is not spent.
    static func redeem(_ token: String, for call: CallFingerprint, _ tx: Transaction, _ context: Context)
        throws
        -> String
    {
        let row = try tx.rows(
            """
            SELECT actor, operation, arguments_hash, state_hash, expires_at, used_at FROM confirmations
            WHERE token_hash = \(Secrets.hash(token)) \(.forUpdate)
            """
        ).first
        let hint = "Call again without confirm_token for a fresh preview and token."
        guard let row, try row["actor"] == call.actor else {
            throw Failure(
                .conflict, "The confirm_token is not known for this caller.", hint: hint,
                reason: "confirm_token_invalid")
        }
        guard try (row["used_at"] as Instant?) == nil else {
            throw Failure(
                .conflict, "The confirm_token was used before.", hint: hint, reason: "confirm_token_used")
        }
        guard try (row["expires_at"] as Instant) > context.now else {
            throw Failure(
                .conflict, "The confirm_token has expired.", hint: hint, reason: "confirm_token_expired")
        }
        guard try row["operation"] == call.operation, try row["arguments_hash"] == call.argumentsHash else {
            throw Failure(
                .conflict, "The confirm_token was given for another call or other arguments.", hint: hint,
                reason: "confirm_token_mismatch")
        }
        try tx.run(
            "UPDATE confirmations SET used_at = \(context.now) WHERE token_hash = \(Secrets.hash(token))")
        return try row["state_hash"]
    }

    static func requireUnchanged(_ expected: String, _ effects: [EffectPreview]) throws {
        guard stateHash(effects) != expected else { return }
        throw Failure(
            .conflict, "What this call would change is no longer what the preview showed.",
            hint: "Call again without confirm_token and look at the new preview.",
            reason: "confirm_state_changed")
    }

    static func stateHash(_ effects: [EffectPreview]) -> String {
        Secrets.hash(JSONValue.array(effects.map(\.fingerprint)).canonicalText)
    }
}

/// What makes two calls the same call: who, what, with which arguments.
package struct CallFingerprint: Sendable, Hashable {
    var actor: String
    var operation: String
    var argumentsHash: String

    init(_ context: Context, operation: String, arguments: JSONObject) {
        actor = context.actor.key
        self.operation = operation
        argumentsHash = Secrets.hash(JSONValue.object(arguments).canonicalText)
    }
}
