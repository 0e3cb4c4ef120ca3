import Kernel
import Storage

/// Has an instructor's background checked.
struct InviteToCheck: Command {
    static let name = "bgc_invite"
    static let summary = "Have the instructor's background checked; Checkr is told right after."
    static let effect = Effect.additive
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.post("instructors/:id/bgc/invite")
    static let action = "instructor.bgc_invite_request"

    @Input("The profile's id.") var id: ULID
    typealias Output = RequestedCheck
    var subject: Subject? { Subject("instructor", id.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> RequestedCheck {
        try RequestedCheck.request(.invite, id, tx, context)
    }
}

/// Has an instructor's background checked again, also after a passed check.
struct RepeatCheck: Command {
    static let name = "bgc_recheck"
    static let summary = "Have the instructor's background checked again; students cannot book meanwhile."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.users
    static let route = Route.post("instructors/:id/bgc/recheck")
    static let action = "instructor.bgc_recheck_request"

    @Input("The profile's id.") var id: ULID
    typealias Output = RequestedCheck
    var subject: Subject? { Subject("instructor", id.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> RequestedCheck {
        try RequestedCheck.request(.recheck, id, tx, context)
    }
}

/// What became of asking for a check.
struct RequestedCheck: Codable, Sendable {
    var status: BackgroundCheckStatus
    /// Nothing was asked, because a check is under way or passed.
    var alreadyInProgress: Bool
    /// Null until Checkr has answered; the status tells.
    var candidateID: String?
    var invitationID: String?

    static func request(
        _ kind: BackgroundCheckRequest.Kind, _ id: ULID, _ tx: Transaction, _ context: Context
    ) throws -> RequestedCheck {
        let profile = try InstructorProfile.lockAccessible(id, tx, context)
        let result = try BackgroundCheckInvitation.request(kind, profile, tx, context)
        let isNew = result == .requested
        return RequestedCheck(
            status: isNew ? .pending : profile.bgcStatus ?? .pending, alreadyInProgress: !isNew,
            candidateID: profile.check.candidateID, invitationID: isNew ? nil : profile.check.invitationID)
    }
}
