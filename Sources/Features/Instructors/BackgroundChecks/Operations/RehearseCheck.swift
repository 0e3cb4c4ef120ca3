import Kernel
import Storage

/// What Checkr would have said, for where there is no real check.
enum RehearsedCheck {
    /// Production has only real checks: there the routes are as good as missing.
    static func profile(_ id: ULID, _ tx: Transaction, _ context: Context) throws -> InstructorProfile {
        guard context.configuration.checkEnvironment != "production" else {
            throw Failure(.notFound, "Checks are not rehearsed in production.", reason: "not_in_production")
        }
        return try InstructorProfile.lockAccessible(id, tx, context)
    }

    static func complete(_ verdict: String, _ id: ULID, _ tx: Transaction, _ context: Context) throws
        -> CheckStatusView
    {
        let profile = try profile(id, tx, context)
        let report = CompletedReport(
            id: "mock_\(context.newID())", verdict: verdict, package: context.configuration.checkrPackage,
            completedAt: context.now)
        try profile.reported(report, tx, context)
        try profile.check(report.isClear ? .passed : .review, at: profile.moment(context), tx, context)
        if !report.isClear { try profile.tellOfReview(tx, context) }
        return try CheckStatusView.load(id, tx, context)
    }
}

/// What a rehearsal is, whatever it rehearses.
protocol CheckRehearsal: Command where Output == CheckStatusView {
    /// The profile's.
    var id: ULID { get }
}

extension CheckRehearsal {
    static var effect: Effect { .reversible }
    static var audience: Audience { .users }
    var subject: Subject? { Subject("instructor", id.description) }
}

/// As if the check had come out clear.
struct RehearsePass: CheckRehearsal {
    static let name = "bgc_mock_pass"
    static let summary = "As if the background check had come out clear; not in production."
    static let route = Route.post("instructors/:id/bgc/mock/pass")
    static let action = "instructor.bgc_mock_pass"

    @Input("The profile's id.") var id: ULID

    func run(_ tx: Transaction, _ context: Context) throws -> CheckStatusView {
        try RehearsedCheck.complete("clear", id, tx, context)
    }
}

/// As if somebody had to look at the report.
struct RehearseReview: CheckRehearsal {
    static let name = "bgc_mock_review"
    static let summary = "As if somebody had to look at the background report; not in production."
    static let route = Route.post("instructors/:id/bgc/mock/review")
    static let action = "instructor.bgc_mock_review"

    @Input("The profile's id.") var id: ULID

    func run(_ tx: Transaction, _ context: Context) throws -> CheckStatusView {
        try RehearsedCheck.complete("consider", id, tx, context)
    }
}

/// As if no check had ever been.
struct RehearseReset: CheckRehearsal {
    static let name = "bgc_mock_reset"
    static let summary = "As if there had never been a background check; not in production."
    static let route = Route.post("instructors/:id/bgc/mock/reset")
    static let action = "instructor.bgc_mock_reset"

    @Input("The profile's id.") var id: ULID

    func run(_ tx: Transaction, _ context: Context) throws -> CheckStatusView {
        try RehearsedCheck.profile(id, tx, context).forgetCheck(tx, context)
        return try CheckStatusView.load(id, tx, context)
    }
}
