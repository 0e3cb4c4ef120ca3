import Kernel
import Storage

/// Makes invites without sending them.
struct GenerateInvites: Command {
    static let name = "invite_generate"
    static let summary = "Make invites; nothing is sent."
    static let effect = Effect.additive
    static let audience = Audience.holders(.adminManage)
    static let route = Route.post("beta/invites/generate")
    static let creates = true
    static let action = "invite.generate"

    @Input("How many, without addresses.", .range(1...200)) var count: Int?
    @Input("Instead of count: one for each of these.", .count(1...200)) var emails: [String]?
    @Input("What they let their bearers become.", .length(1...40)) var role = Invite.standardRole
    @Input("Whether they bring a founding place.") var grantFoundingStatus = true
    @Input("Days until they expire.", .range(1...180)) var expiresInDays = Invite.standardDays
    @Input("Where they are given out.", .length(1...100)) var source: String?

    struct Output: Codable, Sendable {
        var invites: [InviteView]
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard (count == nil) != (emails == nil) else {
            throw Failure.invalid([.init("count", "or emails is required, and not both")])
        }
        let addresses: [String?] = emails ?? Array(repeating: nil, count: count ?? 0)
        let made = try Invite.create(
            addresses.map {
                NewInvite(
                    email: $0, role: role, grantsFounding: grantFoundingStatus, expiresInDays: expiresInDays,
                    source: source)
            }, tx, context)
        return Output(invites: made.map { InviteView($0, context) })
    }
}

/// Makes one invite and sends it.
struct SendInvite: Command {
    static let name = "invite_send_one"
    static let summary = "Make an invite and send it by mail."
    static let effect = Effect.additive
    static let audience = Audience.holders(.adminManage)
    static let route = Route.post("beta/invites/send")
    static let creates = true
    static let action = "invite.send_one"

    @Input("Where it goes.", .length(3...254)) var toEmail: String
    @Input("What it lets its bearer become.", .length(1...40)) var role = Invite.standardRole
    @Input("Whether it brings a founding place.") var grantFoundingStatus = true
    @Input("Days until it expires.", .range(1...180)) var expiresInDays = Invite.standardDays
    @Input("Where it comes from.", .length(1...100)) var source: String?
    @Input("A personal line for the mail.", .length(1...500)) var messageNote: String?

    typealias Output = InviteView

    func run(_ tx: Transaction, _ context: Context) throws -> InviteView {
        let model = NewInvite(
            email: toEmail, role: role, grantsFounding: grantFoundingStatus, expiresInDays: expiresInDays,
            source: source, note: messageNote)
        let (sent, _) = try Invite.send([model], tx, context)
        guard let id = sent.first?.id, let invite = try Invite.find(id, tx) else {
            throw Failure.invalid([.init("to_email", "is not an e-mail address")])
        }
        return InviteView(invite, context)
    }
}

/// What ``SendInviteBatch`` and ``StartInviteBatch`` share.
protocol InviteBatchCommand: Command {
    var emails: [String] { get }
    var role: String { get }
    var grantFoundingStatus: Bool { get }
    var expiresInDays: Int { get }
    var source: String? { get }
    var messageNote: String? { get }
}

extension InviteBatchCommand {
    static var effect: Effect { .additive }
    static var audience: Audience { .holders(.adminManage) }
    static var cost: Int { 5 }

    func invite(to email: String? = nil) -> NewInvite {
        NewInvite(
            email: email, role: role, grantsFounding: grantFoundingStatus, expiresInDays: expiresInDays,
            source: source, note: messageNote)
    }

    /// Each address once, in the order given.
    var addresses: [String] {
        var seen: Set<String> = []
        return emails.map { $0.lowercased() }.filter { seen.insert($0).inserted }
    }
}

/// Makes and sends some invites at once.
struct SendInviteBatch: InviteBatchCommand {
    static let name = "invite_send_batch"
    static let summary = "Make invites and send them by mail, up to 100 at once."
    static let route = Route.post("beta/invites/send-batch")
    static let action = "invite.send_many"

    @Input("Where they go.", .count(1...100)) var emails: [String]
    @Input("What they let their bearers become.", .length(1...40)) var role = Invite.standardRole
    @Input("Whether they bring a founding place.") var grantFoundingStatus = true
    @Input("Days until they expire.", .range(1...180)) var expiresInDays = Invite.standardDays
    @Input("Where they come from.", .length(1...100)) var source: String?
    @Input("A personal line for the mail.", .length(1...500)) var messageNote: String?

    struct Output: Codable, Sendable {
        var sent: [InviteView]
        var failed: [InviteProgress.Failed]
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let (sent, failed) = try Invite.send(addresses.map { invite(to: $0) }, tx, context)
        return Output(
            sent: sent.map { InviteView($0, context) },
            failed: failed.map { .init(email: $0, reason: "invalid_address") })
    }
}

/// Has a job make and send many invites.
struct StartInviteBatch: InviteBatchCommand {
    static let name = "invite_start_batch"
    static let summary = "Have up to 1,000 invites made and sent; the answer names the task."
    static let route = Route.post("beta/invites/send-batch-async")
    static let creates = true
    static let action = "invite.start_batch"

    @Input("Where they go.", .count(1...1_000)) var emails: [String]
    @Input("What they let their bearers become.", .length(1...40)) var role = Invite.standardRole
    @Input("Whether they bring a founding place.") var grantFoundingStatus = true
    @Input("Days until they expire.", .range(1...180)) var expiresInDays = Invite.standardDays
    @Input("Where they come from.", .length(1...100)) var source: String?
    @Input("A personal line for the mail.", .length(1...500)) var messageNote: String?

    struct Output: Codable, Sendable {
        var taskID: ULID
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        Output(taskID: try InviteBatch.start(addresses, like: invite(), tx, context))
    }
}

/// How far a batch is.
struct ShowInviteProgress: Query {
    static let name = "invite_batch_progress"
    static let summary = "How far a batch of invites is."
    static let audience = Audience.holders(.adminRead)
    static let route = Route.get("beta/invites/send-batch-progress")

    @Input("The task, as the start answered it.") var taskID: ULID

    typealias Output = InviteProgress

    func run(_ db: Reader, _ context: Context) async throws -> InviteProgress {
        let id = taskID
        let progress = try await db.read { try InviteBatch.find(id, $0)?.progress($0) }
        guard let progress else {
            throw Failure(.notFound, "There is no batch \(id).", reason: "invite_batch_not_found")
        }
        return progress
    }
}
