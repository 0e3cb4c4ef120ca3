import JSON
package import Kernel
package import Storage

// Whether instructors passed, and whether students can book them.
extension InstructorProfile {
    /// What ``write(_:_:_:)`` writes.
    private struct State {
        var status: BackgroundCheckStatus?
        var statusAt: Instant?
        var note: String?
        var isLive: Bool
        var liveSince: Instant?
    }

    /// Takes over a state of the background check unless a later one is known.
    ///
    /// Whoever is no longer `passed` is no longer live: both in one statement,
    /// as the table's CHECK demands. A state that came late still ends what was
    /// live when it was reported, so every order of arrival ends the same.
    ///
    /// - Parameter action: what the audit entry says happened; nil when the caller writes one.
    /// - Returns: whether it is the state now in force.
    @discardableResult
    package func check(
        _ next: BackgroundCheckStatus, at time: Instant, note: String? = nil,
        as action: String? = "instructor.bgc_status_change", _ tx: Transaction, _ context: Context
    ) throws -> Bool {
        let never = Instant(microseconds: .min)
        let isLatest =
            (time, next.rank, note ?? "") > (bgcStatusAt ?? never, bgcStatus?.rank ?? -1, bgcNote ?? "")
        let endsLive = isLive && next != .passed && (isLatest || liveSince.map { $0 < time } ?? false)
        guard isLatest || endsLive else { return false }
        try write(
            State(
                status: isLatest ? next : bgcStatus, statusAt: isLatest ? time : bgcStatusAt,
                note: isLatest ? note : bgcNote, isLive: isLive && !endsLive,
                liveSince: endsLive ? nil : liveSince), action, tx, context)
        if isLatest, next == .passed, bgcStatus != .passed {
            try LifecycleEvent.bgcCompleted.record(userID, tx, context)
        } else if isLatest, bgcStatus == nil {
            try LifecycleEvent.bgcInitiated.record(userID, tx, context)
        }
        return isLatest
    }

    /// Now, or just after the state in force: a decision of ours counts whatever the
    /// provider's clock said.
    package func moment(_ context: Context) -> Instant {
        max(context.now, bgcStatusAt.map { $0 + .microseconds(1) } ?? context.now)
    }

    /// As if no check had ever been: what a rehearsal begins from.
    package func forgetCheck(_ tx: Transaction, _ context: Context) throws {
        try write(
            State(status: nil, statusAt: nil, note: nil, isLive: false, liveSince: nil),
            "instructor.bgc_reset", tx, context)
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_report_id = \(String?.none), bgc_report_result = \(String?.none), \
            bgc_completed_at = \(Instant?.none), bgc_valid_until = \(Instant?.none), bgc_eta = \(Instant?.none), \
            bgc_eta_at = \(Instant?.none), bgc_invited_at = \(Instant?.none), bgc_in_dispute = \(false), \
            bgc_pre_adverse_notice_id = \(String?.none), bgc_pre_adverse_sent_at = \(Instant?.none), \
            bgc_final_adverse_sent_at = \(Instant?.none), bgc_review_email_sent_at = \(Instant?.none) \
            WHERE id = \(id)
            """)
    }

    /// Lets students book the instructor, or no longer.
    ///
    /// Every change is an event of the funnel: the first `went_live`, later ones
    /// `reactivated`, the others `paused`.
    /// - Returns: whether anything changed.
    @discardableResult
    package func setLive(_ next: Bool, as action: String, _ tx: Transaction, _ context: Context) throws
        -> Bool
    {
        guard next != isLive else { return false }
        guard !next || bgcStatus == .passed else {
            throw Failure(.internal, "An instructor without a passed check cannot be live.")
        }
        try write(
            State(
                status: bgcStatus, statusAt: bgcStatusAt, note: bgcNote, isLive: next,
                liveSince: next ? context.now : nil), action, tx, context)
        guard next else { return true }
        if onboardingCompletedAt == nil {
            try tx.run(
                "UPDATE instructor_profiles SET onboarding_completed_at = \(context.now) WHERE id = \(id)")
            try LifecycleEvent.wentLive.record(userID, tx, context)
        } else {
            try LifecycleEvent.reactivated.record(userID, tx, context)
        }
        return true
    }

    /// The only statement that writes `bgc_status` and `is_live`.
    private func write(_ next: State, _ action: String?, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_status = \(next.status), bgc_status_at = \(next.statusAt), \
            bgc_note = \(next.note), is_live = \(next.isLive), live_since = \(next.liveSince), \
            updated_at = \(context.now) WHERE id = \(id)
            """)
        if isLive, !next.isLive { try LifecycleEvent.paused.record(userID, tx, context) }
        let difference = changes(
            from: ["bgc_status": Self.json(bgcStatus), "is_live": .bool(isLive)],
            to: ["bgc_status": Self.json(next.status), "is_live": .bool(next.isLive)])
        guard let action, !difference.isEmpty else { return }
        try tx.audit(action, subject, changes: difference)
    }

    private static func json(_ status: BackgroundCheckStatus?) -> JSONValue {
        status.map { .string($0.rawValue) } ?? .null
    }
}

extension BackgroundCheckStatus {
    /// Decides between two events of the same second.
    var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
}
