import JSON
import Kernel
import Storage

/// Decides a background check by hand.
struct OverrideCheck: Command {
    static let name = "bgc_override"
    static let summary = "Approve or reject an instructor's background check by hand."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.post("admin/background-checks/:id/override")
    static let action = "background_check.override"

    /// What is decided.
    enum Action: String, Codable, InputEnum { case approve, reject }

    @Input("The profile's id.") var id: ULID
    @Input("What is decided.") var action: Action
    @Input("Why; kept in the audit log.", .length(1...1_000)) var reason: String?
    typealias Output = CheckCase
    var subject: Subject? { Subject("instructor", id.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> CheckCase {
        guard let profile = try InstructorProfile.lock(id, tx) else { throw InstructorProfile.missing(id) }
        switch action {
        case .approve: try profile.approve(reason, tx, context)
        case .reject: try profile.reject(reason, tx, context)
        }
        return try CheckCase.find(id, tx)
    }
}

/// Tells an instructor that the report may turn them away.
struct GivePreAdverseNotice: Command {
    static let name = "bgc_pre_adverse_notice"
    static let summary = "Send the notice before an adverse decision; it is taken five business days later."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.post("admin/background-checks/:id/pre-adverse")
    static let action = "background_check.pre_adverse"

    @Input("The profile's id.") var id: ULID
    var subject: Subject? { Subject("instructor", id.description) }

    struct Output: Codable, Sendable {
        var noticeID: String
        var finalActionDueAt: Instant
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard let profile = try InstructorProfile.lock(id, tx) else { throw InstructorProfile.missing(id) }
        let notice = try profile.giveNotice(tx, context)
        return Output(noticeID: notice.id, finalActionDueAt: notice.due)
    }
}

/// Notes that an instructor disputes the report.
struct OpenCheckDispute: Command {
    static let name = "bgc_dispute_open"
    static let summary = "Note that the instructor disputes the report; nothing adverse is decided meanwhile."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.post("admin/background-checks/:id/dispute/open")
    static let action = "background_check.dispute_open"

    @Input("The profile's id.") var id: ULID
    @Input("What is disputed.", .length(1...1_000)) var note: String
    typealias Output = CheckCase
    var subject: Subject? { Subject("instructor", id.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> CheckCase {
        guard let profile = try InstructorProfile.lock(id, tx) else { throw InstructorProfile.missing(id) }
        try profile.openDispute(note, tx, context)
        return try CheckCase.find(id, tx)
    }
}

/// Notes that the dispute is over.
struct ResolveCheckDispute: Command {
    static let name = "bgc_dispute_resolve"
    static let summary = "Note that the dispute is over; a notice in force then runs anew."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.post("admin/background-checks/:id/dispute/resolve")
    static let action = "background_check.dispute_resolve"

    @Input("The profile's id.") var id: ULID
    @Input("How it ended.", .length(1...1_000)) var note: String?
    typealias Output = CheckCase
    var subject: Subject? { Subject("instructor", id.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> CheckCase {
        guard let profile = try InstructorProfile.lock(id, tx) else { throw InstructorProfile.missing(id) }
        try profile.resolveDispute(note, tx, context)
        return try CheckCase.find(id, tx)
    }
}

extension InstructorProfile {
    /// Passed by hand: as good as a clear report of today.
    fileprivate func approve(_ reason: String?, _ tx: Transaction, _ context: Context) throws {
        let end = context.now + CompletedReport.validity
        try check(.passed, at: moment(context), as: nil, tx, context)
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_completed_at = COALESCE(bgc_completed_at, \(context.now)), \
            bgc_valid_until = \(end), bgc_in_dispute = \(false), bgc_pre_adverse_notice_id = \(String?.none), \
            bgc_pre_adverse_sent_at = \(Instant?.none) WHERE id = \(id)
            """)
        try decided("instructor.approve", .passed, reason, ["bgc_valid_until": .string(end.description)], tx)
    }

    /// Failed by hand, and no longer live.
    fileprivate func reject(_ reason: String?, _ tx: Transaction, _ context: Context) throws {
        try requireNoDispute()
        try check(.failed, at: moment(context), as: nil, tx, context)
        try decided("instructor.reject", .failed, reason, ["is_live": false], tx)
    }

    /// Written also when nothing changed: that somebody decided is the event.
    private func decided(
        _ action: String, _ next: BackgroundCheckStatus, _ reason: String?, _ more: JSONObject,
        _ tx: Transaction
    ) throws {
        let old: JSONObject = [
            "bgc_status": bgcStatus.map { .string($0.rawValue) } ?? .null, "is_live": .bool(isLive),
            "bgc_valid_until": check.validUntil.map { .string($0.description) } ?? .null,
        ]
        let new = old.merging(["bgc_status": .string(next.rawValue)]).merging(more)
        try tx.audit(
            action, subject, changes: changes(from: old, to: new), description: reason,
            metadata: ["bgc_status": .string(next.rawValue)])
    }
}
