import JSON
package import Kernel
package import Storage

/// One row of `referral_attributions`: who brought whom. Everybody is brought once.
package struct ReferralAttribution: Sendable, RowDecodable {
    /// More than so many of one referrer are fraud (domain specification §3.5).
    package static let dailyLimit = 5, weeklyLimit = 15

    /// How a claim ended.
    package enum Claim: String, Sendable, CaseIterable, Codable, SchemaDescribing {
        case attributed
        case alreadyAttributed = "already_attributed"
        case unknownCode = "unknown_code"
        case selfReferral = "self_referral"
        case velocity
    }

    package var id: ULID
    package var codeID: ULID
    package var referrer: ULID
    package var referred: ULID
    package var at: Instant

    package init(row: Row) throws {
        id = try row.get(at: 0)
        codeID = try row.get(at: 1)
        referrer = try row.get(at: 2)
        referred = try row.get(at: 3)
        at = try row.get(at: 4)
    }

    package static func of(referred user: ULID, _ db: Snapshot) throws -> ReferralAttribution? {
        try db.one(
            """
            SELECT id, code_id, referrer_user_id, referred_user_id, ts FROM referral_attributions
            WHERE referred_user_id = \(user)
            """)
    }

    /// Notes that `user` came through a code, unless the rules speak against it. Refusals
    /// are audited and leave nothing else behind.
    package static func claim(
        _ code: String, by user: ULID, _ print: Fingerprint, source: String, firstSeen: Instant? = nil,
        _ tx: Transaction, _ context: Context
    ) throws -> Claim {
        guard try of(referred: user, tx) == nil else { return .alreadyAttributed }
        guard let code = try ReferralCode.find(code, tx) else { return .unknownCode }
        // Claims of one code follow one another, so that each counts those before.
        try tx.run("SELECT 1 FROM referral_codes WHERE id = \(code.id) \(.forUpdate)")
        let refusal = try fraud(code, user, print, tx, now: context.now)
        if let refusal {
            try tx.audit(
                "referral.claim", Subject("user", user.description), status: .denied,
                metadata: ["code_id": .string(code.id.description), "reason": .string(refusal.rawValue)])
            return refusal
        }
        let id = context.newID()
        let added = try tx.run(
            """
            INSERT INTO referral_attributions (id, code_id, referrer_user_id, referred_user_id, source, ts, \
            guest_first_seen)
            VALUES (\(id), \(code.id), \(code.referrer), \(user), \(source), \(context.now), \(firstSeen))
            ON CONFLICT (referred_user_id) DO NOTHING
            """)
        guard added.affected == 1 else { return .alreadyAttributed }
        try print.note(user, tx, context)
        try tx.audit(
            "referral.claim", Subject("user", user.description),
            metadata: ["code_id": .string(code.id.description), "source": .string(source)])
        return .attributed
    }

    private static func fraud(
        _ code: ReferralCode, _ user: ULID, _ print: Fingerprint, _ db: Snapshot, now: Instant
    ) throws -> Claim? {
        if code.referrer == user { return .selfReferral }
        if try print.isKnown(of: code.referrer, db) { return .selfReferral }
        let (day, week) = (now - .seconds(86_400), now - .seconds(7 * 86_400))
        let recent: [Instant] = try db.values(
            """
            SELECT ts FROM referral_attributions WHERE referrer_user_id = \(code.referrer)
            AND ts > \(week) ORDER BY id DESC LIMIT \(weeklyLimit)
            """)
        let isTooMany = recent.count >= weeklyLimit || recent.count { $0 > day } >= dailyLimit
        return isTooMany ? .velocity : nil
    }
}
