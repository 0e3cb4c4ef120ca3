import JSON
package import Kernel
package import Storage

/// Asking Checkr to check an instructor, as far as it is decided here.
package enum BackgroundCheckInvitation {
    /// How old a consent may be, and how long two invitations are apart.
    package static let period = Duration.seconds(24 * 3_600)

    /// What came of it.
    package enum Result: Sendable, Hashable { case requested, alreadyInProgress }

    /// Checks the preconditions in their order (domain specification §3.3) and asks;
    /// a job tells Checkr. The profile is locked.
    ///
    /// - Throws: ``Kernel/Failure`` with the reason `bgc_not_configured`,
    ///   `bgc_consent_required`, `bgc_invite_rate_limited` (with the wait) or `invalid_work_location`.
    package static func request(
        _ kind: BackgroundCheckRequest.Kind, _ profile: InstructorProfile, _ tx: Transaction,
        _ context: Context
    ) throws -> Result {
        guard CheckrAccount.of(context.configuration) != nil else {
            throw Failure(
                .conflict, "Background checks are not configured here.",
                hint: "Set CHECKR_API_KEY, CHECKR_WEBHOOK_USER and CHECKR_WEBHOOK_PASS.",
                reason: "bgc_not_configured")
        }
        if try isInProgress(kind, profile, tx) { return .alreadyInProgress }
        guard let consent = try BackgroundCheckConsent.latest(of: profile.id, tx),
            context.now - consent.consentedAt <= period
        else {
            throw Failure(
                .conflict, "The instructor has not consented to a background check within the last 24 hours.",
                hint: "Post the consent first.", reason: "bgc_consent_required")
        }
        if let last = profile.check.invitedAt, context.now - last < period {
            var failure = Failure(
                .rateLimited, "The last invitation is from \(last); there is one in 24 hours.",
                reason: "bgc_invite_rate_limited")
            failure.retryAfter = period - (context.now - last)
            throw failure
        }
        let contact = try InstructorContact.find(profile.userID, tx)
        guard let contact, Checkr.WorkLocation(zip: contact.zip) != nil else {
            throw Failure(
                .conflict, CheckrProblem.invalidWorkLocation.message,
                reason: CheckrProblem.invalidWorkLocation.rawValue
            )
        }
        let id = try BackgroundCheckRequest.add(kind, profile, tx, context)
        try tx.audit(
            "instructor.bgc_\(kind.rawValue)", profile.subject,
            changes: ["request_id": ["old": .null, "new": .string(id.description)]])
        return .requested
    }

    /// Only who has passed may be checked again.
    private static func isInProgress(
        _ kind: BackgroundCheckRequest.Kind, _ profile: InstructorProfile, _ tx: Transaction
    ) throws -> Bool {
        switch profile.bgcStatus {
        case .pending, .review, .consider: return true
        case .passed where kind == .invite: return true
        case .passed, .failed, .canceled, nil:
            return try BackgroundCheckRequest.latest(of: profile.id, tx)?.status.isOpen ?? false
        }
    }
}

/// One row of `bgc_consent`: that an instructor agreed to be checked (15 U.S.C. § 1681b (b)(2)).
package struct BackgroundCheckConsent: Sendable, Codable, RowDecodable {
    package var id: ULID
    package var consentedAt: Instant
    package var consentVersion: String
    package var disclosureVersion: String
    package var ipAddress: String?
    package var userAgent: String?

    package init(row: Row) throws {
        id = try row.get(at: 0)
        consentedAt = try row.get(at: 1)
        consentVersion = try row.get(at: 2)
        disclosureVersion = try row.get(at: 3)
        ipAddress = try row.get(at: 4)
        userAgent = try row.get(at: 5)
    }

    package static func latest(of instructor: ULID, _ db: Snapshot) throws -> BackgroundCheckConsent? {
        try db.one(
            """
            SELECT id, consented_at, consent_version, disclosure_version, ip_address, user_agent
            FROM bgc_consent WHERE instructor_id = \(instructor) ORDER BY id DESC LIMIT 1
            """)
    }
}
