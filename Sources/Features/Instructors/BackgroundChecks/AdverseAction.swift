import JSON
package import Kernel
package import Storage

/// What the Fair Credit Reporting Act asks for before somebody is turned away over a
/// report: a notice, time to answer, and only then the decision (15 U.S.C. §§ 1681b (b)(3), 1681m).
package enum AdverseAction {
    /// From the notice, or from the end of a dispute, to the decision.
    package static let businessDays = 5

    /// When the decision is due; nil without a notice.
    package static func due(_ check: CheckDetails) -> Instant? {
        guard let sent = check.noticeSentAt, check.noticeID != nil else { return nil }
        return BusinessDays.add(businessDays, to: max(sent, check.disputeResolvedAt ?? sent))
    }

    static func note(
        _ event: String, _ notice: String, _ profile: InstructorProfile, _ tx: Transaction, _ context: Context
    ) throws {
        try tx.run(
            """
            INSERT INTO bgc_adverse_action_events (id, profile_id, notice_id, event_type, created_at)
            VALUES (\(context.newID()), \(profile.id), \(notice), \(event), \(context.environment.now()))
            ON CONFLICT DO NOTHING
            """)
    }
}

extension InstructorProfile {
    /// Sends the notice and plans the decision. A notice that is in force is not sent again.
    ///
    /// - Throws: ``Kernel/Failure`` with the reason `bgc_not_adverse` unless the result is
    ///   in review or adverse, `bgc_dispute_open` while it is disputed.
    /// - Returns: the notice's id and when the decision is due.
    package func giveNotice(_ tx: Transaction, _ context: Context) throws -> (id: String, due: Instant) {
        guard bgcStatus == .review || bgcStatus == .consider else {
            throw Failure(
                .conflict,
                "The background check is \(bgcStatus?.rawValue ?? "not begun"), not review or consider.",
                reason: "bgc_not_adverse")
        }
        try requireNoDispute()
        if let notice = check.noticeID, check.finalAdverseSentAt == nil, let due = AdverseAction.due(check) {
            return (notice, due)
        }
        let notice = context.newID().description
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_pre_adverse_notice_id = \(notice), \
            bgc_pre_adverse_sent_at = \(context.now), bgc_final_adverse_sent_at = \(Instant?.none), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        try AdverseAction.note("pre_adverse_sent", notice, self, tx, context)
        try mail(.preAdverse, key: notice, tx)
        let due = BusinessDays.add(AdverseAction.businessDays, to: context.now)
        try tx.enqueue(TakeFinalAction(profile: id, notice: notice), at: due)
        try tx.audit(
            "instructor.pre_adverse_notice", subject,
            changes: [
                "bgc_pre_adverse_notice_id": ["old": .null, "new": .string(notice)],
                "final_action_due_at": ["old": .null, "new": .string(due.description)],
            ])
        return (notice, due)
    }

    /// The instructor says that the report is wrong: nothing is decided meanwhile.
    package func openDispute(_ note: String, _ tx: Transaction, _ context: Context) throws {
        try requireNoDispute()
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_in_dispute = \(true), bgc_dispute_note = \(note), \
            bgc_dispute_opened_at = \(context.now), bgc_dispute_resolved_at = \(Instant?.none), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        try tx.audit(
            "instructor.bgc_dispute_open", subject, changes: ["bgc_in_dispute": ["old": false, "new": true]],
            description: note)
    }

    /// The dispute is over. A notice that is in force runs anew from now.
    ///
    /// - Throws: ``Kernel/Failure`` with the reason `bgc_no_dispute` when there is none.
    package func resolveDispute(_ note: String?, _ tx: Transaction, _ context: Context) throws {
        guard check.isInDispute else {
            throw Failure(.conflict, "The background check is not disputed.", reason: "bgc_no_dispute")
        }
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_in_dispute = \(false), \
            bgc_dispute_note = \(note ?? check.disputeNote), bgc_dispute_resolved_at = \(context.now), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        if let notice = check.noticeID, check.finalAdverseSentAt == nil {
            try tx.enqueue(
                TakeFinalAction(profile: id, notice: notice),
                at: BusinessDays.add(AdverseAction.businessDays, to: context.now))
        }
        try tx.audit(
            "instructor.bgc_dispute_resolve", subject,
            changes: ["bgc_in_dispute": ["old": true, "new": false]],
            description: note)
    }

    func requireNoDispute() throws {
        guard check.isInDispute else { return }
        throw Failure(
            .conflict,
            "The background check is disputed since \(check.disputeOpenedAt?.description ?? "a while").",
            hint: "Resolve the dispute first.", reason: "bgc_dispute_open")
    }
}
