import JSON
import Kernel
import Storage

/// What the identity provider says of one check.
enum IdentityStatus: String, Codable, Sendable, CaseIterable, SchemaDescribing {
    /// Nobody has begun one, or the last one was given up.
    case none
    case requiresInput = "requires_input"
    case processing, verified, canceled

    init(_ session: PaymentObject?) { self = session?.status.flatMap(Self.init(rawValue:)) ?? .none }

    /// Whether the session can still lead to something.
    var isOpen: Bool { self == .requiresInput || self == .processing }
}

extension InstructorProfile {
    static func identitySession(_ profile: ULID, _ db: Snapshot) throws -> String? {
        try db.value("SELECT identity_verification_session_id FROM instructor_profiles WHERE id = \(profile)")
    }

    /// Takes over what the identity provider says of a session. One that came to nothing
    /// is forgotten, so that the next call begins another.
    func take(
        _ session: PaymentObject, _ status: IdentityStatus, _ tx: Transaction, _ context: Context
    ) throws {
        guard status != .canceled else {
            try tx.run(
                """
                UPDATE instructor_profiles SET identity_verification_session_id = NULL, \
                updated_at = \(context.now) WHERE id = \(id)
                AND identity_verification_session_id = \(session.id)
                """)
            return
        }
        try identity(
            session: session.id, isVerified: status == .verified, at: session.created ?? context.now, tx,
            context)
    }
}

/// Begins the check of the instructor's identity, or goes on with it.
struct BeginIdentityCheck: Command {
    static let name = "identity_session"
    static let summary = "Begin or go on with the check of the instructor's identity."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageInstructorProfile)
    static let bucket = RateBucket.financial
    static let route = Route.post("payments/identity/session")
    static let action = "instructor.identity_begin"
    static let answersSecrets = true

    @Prepared var session: PaymentObject?

    struct Output: Codable, Sendable {
        var sessionID: String
        var status: IdentityStatus
        /// For the check's own page or form, for a while; null once nothing is left to do.
        var clientSecret: String?
        var url: String?
    }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let own = try await OwnAccount.find(db, context)
        let user = try context.userID()
        let provider = try PaymentProvider.required(context, db)
        let known = try await db.read { try InstructorProfile.identitySession(own.profile, $0) }
        if let known, let found = try await provider.look(.identitySession, known) {
            session = found
            let status = IdentityStatus(found)
            if status.isOpen || status == .verified { return }
        }
        let page = DeliverSandboxEvent.address(context.configuration) + BeginOnboarding.returnPath
        // After one that came to nothing another begins; asked twice at a time it is the same.
        session = try await provider.ask(
            .createIdentitySession(user: user, returnURL: page),
            key: "identity_\(user)_\(session?.id ?? "first")")
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard let session, let profile = try InstructorProfile.lock(user: try context.userID(), tx) else {
            throw Failure(.internal, "The session was not prepared.")
        }
        let status = IdentityStatus(session)
        try profile.take(session, status, tx, context)
        return Output(
            sessionID: session.id, status: status,
            clientSecret: status == .requiresInput ? session.clientSecret : nil,
            url: status == .requiresInput ? session.url : nil)
    }
}

/// Asks the identity provider what became of the check.
struct RefreshIdentityCheck: Command {
    static let name = "identity_refresh"
    static let summary = "Ask what became of the check of the instructor's identity."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageInstructorProfile)
    static let bucket = RateBucket.financial
    static let route = Route.post("payments/identity/refresh")
    static let action = "instructor.identity_refresh"

    @Prepared var session: PaymentObject?

    struct Output: Codable, Sendable {
        var status: IdentityStatus
        var verified: Bool
    }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let own = try await OwnAccount.find(db, context)
        guard let known = try await db.read({ try InstructorProfile.identitySession(own.profile, $0) }) else {
            return
        }
        session = try await PaymentProvider.required(context, db).look(.identitySession, known)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let status = IdentityStatus(session)
        guard let profile = try InstructorProfile.lock(user: try context.userID(), tx) else {
            throw InstructorProfile.none
        }
        if let session { try profile.take(session, status, tx, context) }
        return Output(status: status, verified: status == .verified || profile.identityVerifiedAt != nil)
    }
}
