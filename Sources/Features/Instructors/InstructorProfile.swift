import JSON
package import Kernel
package import Storage

/// The values of `instructor_profiles.bgc_status`; null means never started.
package enum BackgroundCheckStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case pending, passed, review, failed, consider, canceled
}

/// One row of `instructor_profiles`, as far as webhooks drive it.
package struct InstructorProfile: Sendable, RowDecodable {
    package var id: ULID
    package var userID: ULID
    package var isLive: Bool
    /// Since when; nil when not live or not known.
    package var liveSince: Instant?
    package var bgcStatus: BackgroundCheckStatus?
    /// The provider's time of the event that set the status.
    package var bgcStatusAt: Instant?
    package var bgcNote: String?
    package var bgcETA: Instant?
    /// The provider's times of the events that set the estimate, the invitation and the identity session.
    var bgcETAAt, invitationAt, identitySessionAt: Instant?
    package var identityVerifiedAt: Instant?

    private static let columns: SQL = """
        id, user_id, is_live, live_since, bgc_status, bgc_status_at, bgc_note, bgc_eta, bgc_eta_at, \
        checkr_invitation_at, identity_session_at, identity_verified_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        userID = try row.get(at: 1)
        isLive = try row.get(at: 2)
        liveSince = try row.get(at: 3)
        bgcStatus = try row.get(at: 4)
        bgcStatusAt = try row.get(at: 5)
        bgcNote = try row.get(at: 6)
        bgcETA = try row.get(at: 7)
        bgcETAAt = try row.get(at: 8)
        invitationAt = try row.get(at: 9)
        identitySessionAt = try row.get(at: 10)
        identityVerifiedAt = try row.get(at: 11)
    }

    package static func lock(user: ULID, _ tx: Transaction) throws -> InstructorProfile? {
        try tx.one("SELECT \(columns) FROM instructor_profiles WHERE user_id = \(user) \(.forUpdate)")
    }

    package static func lock(candidate: String, _ tx: Transaction) throws -> InstructorProfile? {
        try tx.one(
            "SELECT \(columns) FROM instructor_profiles WHERE checkr_candidate_id = \(candidate) \(.forUpdate)"
        )
    }

    var subject: Subject { Subject("instructor", id.description) }

    /// Takes over a state of the background check unless a later one is known.
    ///
    /// Whoever is no longer `passed` is no longer live: both in one statement,
    /// as the table's CHECK demands. A state that came late still ends what was
    /// live when it was reported, so every order of arrival ends the same.
    func check(
        _ next: BackgroundCheckStatus, at time: Instant, note: String? = nil, _ tx: Transaction,
        _ context: Context
    ) throws {
        let never = Instant(microseconds: .min)
        let isLatest =
            (time, next.rank, note ?? "") > (bgcStatusAt ?? never, bgcStatus?.rank ?? -1, bgcNote ?? "")
        let endsLive = isLive && next != .passed && (isLatest || liveSince.map { $0 < time } ?? false)
        guard isLatest || endsLive else { return }
        let (status, staysLive) = (isLatest ? next : bgcStatus, isLive && !endsLive)
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_status = \(status), bgc_status_at = \(isLatest ? time : bgcStatusAt), \
            bgc_note = \(isLatest ? note : bgcNote), is_live = \(staysLive), \
            live_since = \(staysLive ? liveSince : nil), updated_at = \(context.now) WHERE id = \(id)
            """)
        guard status != bgcStatus || staysLive != isLive else { return }
        try tx.audit(
            "instructor.bgc_status_change", subject,
            changes: changes(
                from: [
                    "bgc_status": bgcStatus.map { .string($0.rawValue) } ?? .null, "is_live": .bool(isLive),
                ],
                to: ["bgc_status": status.map { .string($0.rawValue) } ?? .null, "is_live": .bool(staysLive)])
        )
    }

    /// The invitation that candidates follow; the latest one counts.
    func invited(_ invitation: String?, at time: Instant, _ tx: Transaction, _ context: Context) throws {
        guard let invitation, invitationAt.map({ $0 < time }) ?? true else { return }
        try tx.run(
            """
            UPDATE instructor_profiles SET checkr_invitation_id = \(invitation), checkr_invitation_at = \(time), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
    }

    /// Adds a completed report to the history and takes over the latest one.
    func reported(_ report: CompletedReport, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            INSERT INTO background_checks (id, instructor_id, report_id, result, package, completed_at, created_at)
            VALUES (\(context.newID()), \(id), \(report.id), \(report.verdict), \(report.package), \
            \(report.completedAt), \(context.now)) ON CONFLICT DO NOTHING
            """)
        let latest: CompletedReport? = try tx.one(
            """
            SELECT report_id, result, package, completed_at FROM background_checks
            WHERE instructor_id = \(id) ORDER BY completed_at DESC, report_id DESC LIMIT 1
            """)
        guard let latest else { return }
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_report_result = \(latest.verdict), \
            bgc_completed_at = \(latest.completedAt), bgc_valid_until = \(latest.validUntil), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
    }

    /// A new estimate of when the check will be done; the status stays.
    func estimate(_ eta: Instant, at time: Instant, _ tx: Transaction, _ context: Context) throws {
        guard bgcETAAt.map({ $0 < time }) ?? true else { return }
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_eta = \(eta), bgc_eta_at = \(time), updated_at = \(context.now)
            WHERE id = \(id)
            """)
        guard eta != bgcETA else { return }
        try tx.audit(
            "instructor.bgc_eta_change", subject,
            changes: changes(
                from: ["bgc_eta": bgcETA.map { .string($0.description) } ?? .null],
                to: ["bgc_eta": .string(eta.description)]))
    }

    /// What Stripe Identity says. The latest session is kept, and of several
    /// verifications the first; a late event takes none back.
    func identity(session: String, isVerified: Bool, at time: Instant, _ tx: Transaction, _ context: Context)
        throws
    {
        let verifiedAt = isVerified ? min(time, identityVerifiedAt ?? time) : identityVerifiedAt
        let isLatest = identitySessionAt.map { $0 < time } ?? true
        if isLatest {
            try tx.run(
                """
                UPDATE instructor_profiles SET identity_verification_session_id = \(session), \
                identity_session_at = \(time) WHERE id = \(id)
                """)
        }
        guard isLatest || verifiedAt != identityVerifiedAt else { return }
        try tx.run(
            """
            UPDATE instructor_profiles SET identity_verified_at = \(verifiedAt), updated_at = \(context.now)
            WHERE id = \(id)
            """)
        guard let verifiedAt, identityVerifiedAt == nil else { return }
        try tx.audit(
            "instructor.identity_verified", subject,
            changes: changes(
                from: ["identity_verified_at": .null],
                to: ["identity_verified_at": .string(verifiedAt.description)]))
    }
}

extension BackgroundCheckStatus {
    /// Decides between two events of the same second.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
