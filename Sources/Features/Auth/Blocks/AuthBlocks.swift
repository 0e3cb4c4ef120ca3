import JSON
import Kernel
import Storage

/// An address whose sign-ins fail, as administrators see it.
struct AuthBlock: Codable, Sendable {
    var email: String
    var failures: Int
    var isLocked: Bool
    /// Until when nobody can sign in with it.
    var blockedUntil: String?
    var captchaRequired: Bool
    var firstFailedAt: String
    var lastFailedAt: String
    var lastIp: String?

    init(_ row: SignInFailures, blockedUntil: Instant?, _ context: Context) {
        email = row.email
        failures = row.count(at: context.now)
        isLocked = row.lock(at: context.now) != nil
        self.blockedUntil = blockedUntil?.description
        captchaRequired =
            context.configuration.turnstileSecret != nil && failures >= SignInFailures.captchaThreshold
        firstFailedAt = row.firstFailedAt.description
        lastFailedAt = row.lastFailedAt.description
        lastIp = row.lastIP
    }
}

/// Addresses with failed sign-ins.
struct ListAuthBlocks: Query {
    static let name = "auth_blocks_list"
    static let title = "List addresses with failed sign-ins"
    static let summary = "Addresses whose sign-ins failed within the hour, or are locked, latest first."
    static let audience = Audience.holders(.manageUsers)
    static let action = "auth_blocks.list"
    static let route = Route.get("admin/auth-blocks")

    @Input("Only those that are locked.") var lockedOnly = false
    @Input("Rows to return.", .range(1...200)) var limit = 50

    struct Output: Codable, Sendable {
        var blocks: [AuthBlock]
        /// There are more than were returned.
        var isCut: Bool
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (lockedOnly, limit) = (lockedOnly, limit)
        let rows = try await db.read { db in
            try SignInFailures.list(lockedOnly: lockedOnly, limit: limit + 1, db, now: context.now)
        }
        return Output(
            blocks: rows.prefix(limit).map { AuthBlock($0, blockedUntil: $0.lock(at: context.now), context) },
            isCut: rows.count > limit)
    }
}

/// How many addresses have trouble.
struct SummarizeAuthBlocks: Query {
    static let name = "auth_blocks_summary"
    static let title = "Count addresses with failed sign-ins"
    static let summary =
        "How many addresses are locked, or had failed sign-ins within the hour; at most 1000 are counted."
    static let audience = Audience.holders(.manageUsers)
    static let action = "auth_blocks.summary"
    static let route = Route.get("admin/auth-blocks/summary")
    private static let maximumCount = 1_000

    struct Output: Codable, Sendable {
        var locked: Int
        var withFailures: Int
        /// There are more than were counted.
        var isCapped: Bool
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let rows = try await db.read { db in
            try SignInFailures.list(
                lockedOnly: false, limit: Self.maximumCount + 1, db, now: context.now)
        }
        let counted = rows.prefix(Self.maximumCount)
        return Output(
            locked: counted.count { $0.lock(at: context.now) != nil }, withFailures: counted.count,
            isCapped: rows.count > counted.count)
    }
}

/// What is known of one address.
struct ShowAuthBlock: Query {
    static let name = "auth_block_detail"
    static let title = "Show the failed sign-ins of an address"
    static let summary = "The failed sign-ins of one address, and until when it is blocked."
    static let audience = Audience.holders(.manageUsers)
    static let action = "auth_blocks.show"
    static let route = Route.get("admin/auth-blocks/:email")
    typealias Output = AuthBlock

    @Input("The address.", .length(3...254)) var email: String

    func run(_ db: Reader, _ context: Context) async throws -> AuthBlock {
        let email = User.normalized(email: email)
        let found = try await db.read { db -> AuthBlock? in
            guard let row = try SignInFailures.find(email, db), row.isCurrent(at: context.now) else {
                return nil
            }
            let until = try SignInFailures.blocked(email, row, db, now: context.now)
            return AuthBlock(row, blockedUntil: until, context)
        }
        guard let found else { throw Self.none(email) }
        return found
    }

    static func none(_ email: String) -> Failure {
        Failure(
            .notFound, "The address \(Recipient.masked(email)) has no failed sign-ins.",
            hint: "GET admin/auth-blocks lists those that have.", reason: "auth_block_not_found")
    }
}

/// Lets an address sign in again at once.
struct ClearAuthBlock: Command {
    static let name = "auth_block_clear"
    static let title = "Unlock an address"
    static let summary = "Forget the failed sign-ins of an address, so that it can sign in at once."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageUsers)
    static let action = "auth_blocks.clear"
    static let route = Route.delete("admin/auth-blocks/:email")

    @Input("The address.", .length(3...254)) var email: String

    struct Output: Codable, Sendable {
        var email: String
        var isCleared = true
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let email = User.normalized(email: email)
        let row = try SignInFailures.find(email, tx)
        guard try SignInFailures.clear(email, tx), let row else { throw ShowAuthBlock.none(email) }
        let user = try User.find(email: email, tx)
        try tx.audit(
            "auth_block.clear", Subject("user", user?.id.description),
            changes: ["failures": ["old": .int(row.failures), "new": 0]])
        return Output(email: email)
    }
}
