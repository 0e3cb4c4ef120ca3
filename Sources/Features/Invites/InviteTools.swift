import JSON
import Kernel
import Storage

/// An invite as operators see it in lists. The code lets its bearer join: it is shown,
/// because that is what they are asked for, and never written to the audit log.
struct InviteItem: Codable, Sendable {
    var id: ULID
    var code: String
    /// Masked unless revealed.
    var email: String?
    var status: InviteStatus
    var createdAt: Instant
    var expiresAt: Instant?
    var acceptedAt: Instant?
    var sentAt: Instant?

    init(_ invite: Invite, _ reveal: Reveal, now: Instant) {
        id = invite.id
        code = invite.code
        email = reveal.isGranted ? invite.email : invite.email.map(Recipient.masked)
        status = invite.status(at: now)
        createdAt = invite.createdAt
        expiresAt = invite.expiresAt
        acceptedAt = invite.usedAt
        sentAt = invite.sentAt
    }
}

/// Lists invites, newest first.
struct InvitesList: Query {
    static let name = "invites_list"
    static let title = "List invites"
    static let summary =
        "Invites to the beta, newest first; filter by address, status and the day they were made."
    static let route = Route.get("invites")

    @Input("Only the invites to this address, in full.", .length(3...254)) var email: String?
    @Input("Only this status.") var status: InviteStatus?
    @Input("Made on this day of UTC or later.") var startDate: CalendarDay?
    @Input("Made on this day of UTC or earlier.") var endDate: CalendarDay?
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    @Input("Show addresses in full; needs mcp:write and a reason.") var reveal = false
    @Input("Why addresses are shown; kept in the audit log.", .length(3...500)) var reason: String?

    struct Output: Codable, Sendable {
        struct Data: Codable, Sendable {
            var invites: [EncodedRow<InviteItem>]
            /// Rows of this page.
            var count: Int
            var nextCursor: String?
            var filters: Filters
        }
        struct Filters: Codable, Sendable {
            var email: String?
            var status: InviteStatus?
            var startDate: CalendarDay?
            var endDate: CalendarDay?
        }
        var meta: AnswerMeta
        var data: Data
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (days, reveal) = (try DayRange(startDate, endDate), try Reveal(reveal, reason: reason, context))
        let filters = InviteFilters(address: email, status: status, start: days.start, end: days.end)
        let (limit, now) = (limit, context.now)
        let place = try PageStart(cursor, filters: filters.key, window: nil)
        let invites = try await db.read {
            try Invite.page(filters, after: place.after, limit: limit + 1, $0, now: now)
        }
        let page = try ListPage(
            invites.map { ($0.id, InviteItem($0, reveal, now: now)) }, limit: limit, from: place)
        let asked = Output.Filters(
            email: filters.address.map { reveal.isGranted ? $0 : Recipient.masked($0) }, status: status,
            startDate: startDate, endDate: endDate)
        return Output(
            meta: AnswerMeta(context),
            data: .init(
                invites: page.rows, count: page.rows.count, nextCursor: page.nextCursor, filters: asked))
    }
}

/// Shows one invite and what became of it.
struct InvitesDetail: Query {
    static let name = "invites_detail"
    static let title = "Invite"
    static let summary =
        "One invite by its id or code: whom it is for, what it grants, and what became of it."
    static let route = Route.get("invites/:identifier")
    /// It may be a code, which the audit log must not hold; an id is the entry's subject.
    static let secretInputs: Set<String> = ["identifier"]

    @Input("The invite's id, or its code.", .length(6...40)) var identifier: String
    @Input("Show the address in full; needs mcp:write and a reason.") var reveal = false
    @Input("Why the address is shown; kept in the audit log.", .length(3...500)) var reason: String?

    var subject: Subject? { ULID(identifier).map { Subject("invite", $0.description) } }

    struct Output: Codable, Sendable {
        struct Step: Codable, Sendable {
            var status: InviteStatus
            var timestamp: Instant
        }
        struct Data: Codable, Sendable {
            var id: ULID
            var code: String
            /// Masked unless revealed.
            var email: String?
            var status: InviteStatus
            var createdAt: Instant
            var expiresAt: Instant?
            var acceptedAt: Instant?
            var sentAt: Instant?
            var usedByUserID: ULID?
            var role: String
            var grantFoundingStatus: Bool
            /// Where it comes from and its personal line, as far as it has them.
            var metadata: [String: String]?
            /// Oldest first.
            var statusHistory: [Step]
        }
        var meta: AnswerMeta
        var data: Data
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (identifier, now) = (identifier, context.now)
        let reveal = try Reveal(reveal, reason: reason, context)
        let invite = try await db.read { try Invite.find(identifier: identifier, $0) }
        guard let invite else {
            throw Failure(
                .notFound, "There is no invite with this id or code.",
                hint: "invites_list finds invites by address.", reason: "invite_not_found")
        }
        let item = InviteItem(invite, reveal, now: now)
        var metadata: [String: String] = [:]
        metadata["source"] = invite.source
        metadata["message_note"] = invite.note
        return Output(
            meta: AnswerMeta(context),
            data: .init(
                id: item.id, code: item.code, email: item.email, status: item.status,
                createdAt: item.createdAt, expiresAt: item.expiresAt, acceptedAt: item.acceptedAt,
                sentAt: item.sentAt, usedByUserID: invite.usedBy, role: invite.role,
                grantFoundingStatus: invite.grantsFounding, metadata: metadata.isEmpty ? nil : metadata,
                statusHistory: invite.history(at: now).map { .init(status: $0.status, timestamp: $0.at) }))
    }
}
