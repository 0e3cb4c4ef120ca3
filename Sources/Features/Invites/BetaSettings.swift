import JSON
package import Kernel
package import Storage

/// The one row of `beta_settings`: who may join at present.
package struct BetaSettings: Sendable, Codable, RowDecodable {
    package var betaDisabled: Bool
    package var betaPhase: String
    package var allowSignupWithoutInvite: Bool

    package init(row: Row) throws {
        betaDisabled = try row.get(at: 0)
        betaPhase = try row.get(at: 1)
        allowSignupWithoutInvite = try row.get(at: 2)
    }

    private static let text: SQL = """
        SELECT beta_disabled, beta_phase, allow_signup_without_invite FROM beta_settings WHERE id = 1
        """

    package static func current(_ db: Snapshot) throws -> BetaSettings { try required(db.one(text)) }

    /// As ``current(_:)``, kept from changing to the end of the transaction.
    package static func lock(_ tx: Transaction) throws -> BetaSettings {
        try required(tx.one(text + " \(.forUpdate)"))
    }

    private static func required(_ found: BetaSettings?) throws -> BetaSettings {
        guard let found else { throw Failure(.internal, "The settings of the beta are missing.") }
        return found
    }

    /// Whether an instructor needs an invite to join.
    package var needsInvite: Bool { !betaDisabled && !allowSignupWithoutInvite }

    package func save(_ tx: Transaction, _ context: Context) throws {
        let old = try BetaSettings.lock(tx)
        try tx.run(
            """
            UPDATE beta_settings SET beta_disabled = \(betaDisabled), beta_phase = \(betaPhase), \
            allow_signup_without_invite = \(allowSignupWithoutInvite), updated_at = \(context.now)
            WHERE id = 1
            """)
        try tx.audit(
            "invite.settings", Subject("beta_settings", "1"),
            changes: changes(from: old.fields, to: fields))
    }

    private var fields: JSONObject {
        [
            "beta_disabled": .bool(betaDisabled), "beta_phase": .string(betaPhase),
            "allow_signup_without_invite": .bool(allowSignupWithoutInvite),
        ]
    }
}
