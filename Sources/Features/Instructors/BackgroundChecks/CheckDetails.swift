package import Storage

/// The columns of `instructor_profiles` about the background check that are
/// neither its status nor its estimate.
package struct CheckDetails: Sendable {
    package var reportResult: String?
    package var completedAt: Instant?
    package var validUntil: Instant?
    package var includesCanceled: Bool
    /// `sandbox` or `production`.
    package var environment: String
    package var invitedAt: Instant?
    package var candidateID: String?
    package var invitationID: String?
    package var isInDispute: Bool
    package var disputeNote: String?
    package var disputeOpenedAt: Instant?
    package var disputeResolvedAt: Instant?
    /// The pre-adverse notice that is in force.
    package var noticeID: String?
    package var noticeSentAt: Instant?
    package var finalAdverseSentAt: Instant?
    package var reviewEmailSentAt: Instant?

    static let columns: SQL = """
        p.bgc_report_result, p.bgc_completed_at, p.bgc_valid_until, p.bgc_includes_canceled, p.bgc_env, \
        p.bgc_invited_at, p.checkr_candidate_id, p.checkr_invitation_id, p.bgc_in_dispute, p.bgc_dispute_note, \
        p.bgc_dispute_opened_at, p.bgc_dispute_resolved_at, p.bgc_pre_adverse_notice_id, \
        p.bgc_pre_adverse_sent_at, p.bgc_final_adverse_sent_at, p.bgc_review_email_sent_at
        """
    static let columnCount = 16

    init(row: Row, from start: Int) throws {
        reportResult = try row.get(at: start)
        completedAt = try row.get(at: start + 1)
        validUntil = try row.get(at: start + 2)
        includesCanceled = try row.get(at: start + 3)
        environment = try row.get(at: start + 4)
        invitedAt = try row.get(at: start + 5)
        candidateID = try row.get(at: start + 6)
        invitationID = try row.get(at: start + 7)
        isInDispute = try row.get(at: start + 8)
        disputeNote = try row.get(at: start + 9)
        disputeOpenedAt = try row.get(at: start + 10)
        disputeResolvedAt = try row.get(at: start + 11)
        noticeID = try row.get(at: start + 12)
        noticeSentAt = try row.get(at: start + 13)
        finalAdverseSentAt = try row.get(at: start + 14)
        reviewEmailSentAt = try row.get(at: start + 15)
    }
}
