import Kernel
import Storage

/// How a background check stands.
struct CheckStatusView: Codable, Sendable {
    struct Problem: Codable, Sendable {
        var code: String
        var message: String
    }

    /// Null when none was ever asked for.
    var status: BackgroundCheckStatus?
    /// Asked for, and Checkr has not answered yet.
    var isRequested: Bool
    /// Why the last request came to nothing.
    var problem: Problem?
    var env: String
    var note: String?
    var reportResult: String?
    var consentedAt: Instant?
    /// Whether the consent is recent enough for an invitation.
    var isConsentValid: Bool
    var invitedAt: Instant?
    var completedAt: Instant?
    var validUntil: Instant?
    var eta: Instant?
    var isInDispute: Bool

    /// Three statements.
    static func load(_ id: ULID, _ db: Snapshot, _ context: Context) throws -> CheckStatusView {
        let profile = try InstructorProfile.accessible(id, try InstructorProfile.find(id, db), context)
        let request = try BackgroundCheckRequest.latest(of: id, db)
        let consent = try BackgroundCheckConsent.latest(of: id, db)
        let isOpen = request?.status.isOpen ?? false
        let problem = request?.status == .failed ? request?.errorCode.flatMap(CheckrProblem.init) : nil
        return CheckStatusView(
            status: isOpen ? .pending : profile.bgcStatus, isRequested: isOpen,
            problem: problem.map { Problem(code: $0.rawValue, message: $0.message) },
            env: profile.check.environment, note: profile.bgcNote, reportResult: profile.check.reportResult,
            consentedAt: consent?.consentedAt,
            isConsentValid: consent.map { context.now - $0.consentedAt <= BackgroundCheckInvitation.period }
                ?? false,
            invitedAt: profile.check.invitedAt, completedAt: profile.check.completedAt,
            validUntil: profile.check.validUntil, eta: profile.bgcETA, isInDispute: profile.check.isInDispute)
    }
}

/// How an instructor's background check stands.
struct ShowCheck: Query {
    static let name = "bgc_status_show"
    static let summary = "How the instructor's background check stands."
    static let audience = Audience.users
    static let route = Route.get("instructors/:id/bgc/status")

    @Input("The profile's id.") var id: ULID
    typealias Output = CheckStatusView
    var subject: Subject? { Subject("instructor", id.description) }

    func run(_ db: Reader, _ context: Context) async throws -> CheckStatusView {
        let id = id
        return try await db.read { try CheckStatusView.load(id, $0, context) }
    }
}
