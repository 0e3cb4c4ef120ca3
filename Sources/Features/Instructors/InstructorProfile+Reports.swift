import JSON
package import Kernel
package import Storage

// What Checkr and Stripe Identity tell, apart from the status.
extension InstructorProfile {
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
        let includesCanceled = latest.id == report.id ? report.includesCanceled : check.includesCanceled
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_report_result = \(latest.verdict), \
            bgc_completed_at = \(latest.completedAt), bgc_valid_until = \(latest.validUntil), \
            bgc_report_id = \(try ReportID.stored(latest.id, context)), bgc_includes_canceled = \(includesCanceled), \
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
    package func identity(
        session: String, isVerified: Bool, at time: Instant, _ tx: Transaction, _ context: Context
    )
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
        try LifecycleEvent.identityVerified.record(userID, tx, context)
    }
}
