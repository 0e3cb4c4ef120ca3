import Kernel
import Storage

/// An invite as administrators see it, code and all.
struct InviteView: Codable, Sendable {
    var id: ULID
    var code: String
    var email: String?
    var role: String
    var grantFoundingStatus: Bool
    var status: InviteStatus
    var expiresAt: Instant?
    var sentAt: Instant?
    var createdAt: Instant
    var joinURL: String

    init(_ invite: Invite, _ context: Context) {
        id = invite.id
        code = invite.code
        email = invite.email
        role = invite.role
        grantFoundingStatus = invite.grantsFounding
        status = invite.status(at: context.now)
        expiresAt = invite.expiresAt
        sentAt = invite.sentAt
        createdAt = invite.createdAt
        joinURL = InviteMail.joinURL(invite.code, context.configuration)
    }
}
