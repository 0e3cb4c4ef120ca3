import JSON
import Kernel
import Storage

/// Shows one instructor, found by id, address or name.
struct InstructorsDetail: Query {
    static let name = "instructors_detail"
    static let title = "Instructor"
    static let summary =
        "One instructor by id, e-mail address or name: onboarding, background check, services, numbers."
    static let route = Route.get("instructors/:identifier")

    @Input("User or profile id, e-mail address, or name or part of one.", .length(2...254))
    var identifier: String
    @Input("Show name, address and phone in full; needs mcp:write and a reason.") var reveal = false
    @Input("Why they are shown; kept in the audit log.", .length(3...500)) var reason: String?

    var subject: Subject? { ULID(identifier).map { Subject("instructor", $0.description) } }

    struct Output: Codable, Sendable {
        struct Onboarding: Codable, Sendable {
            var profileCreatedAt: Instant
            var profileUpdatedAt: Instant
            var identityVerifiedAt: Instant?
            var backgroundCheckUploadedAt: Instant?
            var bgcInvitedAt: Instant?
            var bgcCompletedAt: Instant?
            var onboardingCompletedAt: Instant?
        }
        struct Check: Codable, Sendable {
            var status: BackgroundCheckStatus?
            var completedAt: Instant?
            var validUntil: Instant?
        }
        struct Statistics: Codable, Sendable {
            var bookingsCompleted: Int
            var bookingsCancelled: Int
            var noShows: Int
            /// Of published reviews; null without one.
            var ratingAvg: Double?
            var ratingCount: Int
            /// In percent; null when not measured.
            var responseRate: Double?
        }
        var meta: AnswerMeta
        var userID: ULID
        var profileID: ULID
        /// "Maria L." unless revealed.
        var name: String
        /// Masked unless revealed, as is the phone.
        var email: String
        var phone: String?
        var accountStatus: AccountStatus
        var status: OnboardingStatus
        var isFounding: Bool
        var foundingGrantedAt: Instant?
        var adminURL: String
        var liveAt: Instant?
        var onboarding: Onboarding
        var bgc: Check
        /// What they teach now.
        var services: [TaughtService]
        var stats: Statistics
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let words = identifier.split(whereSeparator: \.isWhitespace)
        let (identifier, meta) = (words.joined(separator: " "), AnswerMeta(context))
        let reveal = try Reveal(reveal, reason: reason, context)
        return try await db.read { db in
            let (user, profile) = try Self.find(identifier, db)
            let extra = try db.rows(
                """
                SELECT background_check_uploaded_at, response_rate FROM instructor_profiles
                WHERE id = \(profile.id)
                """
            ).first
            let counts: [String: Int] = try db.rows(
                "SELECT status, COUNT(*) FROM bookings WHERE instructor_id = \(user.id) GROUP BY status"
            ).reduce(into: [:]) { $0[try $1.get(at: 0)] = try $1.get(at: 1, as: Int.self) }
            let (rating, services) = (
                try Rating.of(user.id, db), try TaughtService.of([profile.id], db)[profile.id] ?? []
            )
            return Output(
                meta: meta, userID: user.id, profileID: profile.id,
                name: reveal.isGranted ? "\(user.firstName) \(user.lastName)" : user.privacyName,
                email: reveal.isGranted ? user.email : Recipient.masked(user.email),
                phone: reveal.isGranted ? user.phone : user.phone.map(Recipient.masked),
                accountStatus: user.accountStatus, status: profile.onboardingStatus,
                isFounding: profile.isFoundingInstructor, foundingGrantedAt: profile.foundingGrantedAt,
                adminURL: profile.adminURL, liveAt: profile.liveAt,
                onboarding: .init(
                    profileCreatedAt: profile.createdAt, profileUpdatedAt: profile.updatedAt,
                    identityVerifiedAt: profile.identityVerifiedAt,
                    backgroundCheckUploadedAt: try extra?.get(at: 0),
                    bgcInvitedAt: profile.check.invitedAt, bgcCompletedAt: profile.check.completedAt,
                    onboardingCompletedAt: profile.onboardingCompletedAt),
                bgc: .init(
                    status: profile.bgcStatus, completedAt: profile.check.completedAt,
                    validUntil: profile.check.validUntil),
                services: services,
                stats: .init(
                    bookingsCompleted: counts["COMPLETED"] ?? 0, bookingsCancelled: counts["CANCELLED"] ?? 0,
                    noShows: counts["NO_SHOW"] ?? 0, ratingAvg: rating.average, ratingCount: rating.count,
                    responseRate: try extra?.get(at: 1)))
        }
    }

    /// How many of those that match are named in a refusal.
    private static let shown = 5

    /// The one instructor whom the identifier means; who is meant is never guessed.
    /// - Throws: ``Kernel/Failure/Code/notFound``; ``Kernel/Failure/Code/conflict`` when several match.
    private static func find(_ identifier: String, _ db: Snapshot) throws -> (User, InstructorProfile) {
        var ids: [ULID] = []
        for condition in conditions(identifier) where ids.isEmpty {
            ids = try db.values(
                """
                SELECT p.user_id FROM instructor_profiles p JOIN users u ON u.id = p.user_id
                WHERE \(InstructorItem.present) AND \(condition) ORDER BY p.user_id LIMIT \(shown + 1)
                """)
        }
        guard let id = ids.first else {
            throw Failure(
                .notFound, "No instructor matches this id, address or name.",
                hint: "instructors_list lists them.", reason: "instructor_not_found")
        }
        guard ids.count == 1 else {
            let names = try User.names(Array(ids.prefix(shown)), db)
            let list = ids.prefix(shown).map { "\(names[$0] ?? "?") (\($0))" }.joined(separator: ", ")
            throw Failure(
                .conflict,
                "\(ids.count > shown ? "More than \(shown)" : "\(ids.count)") instructors match: \(list).",
                hint: "Pass the id of the one you mean.", reason: "instructor_ambiguous")
        }
        guard let user = try User.find(id, db), let profile = try InstructorProfile.find(user: id, db) else {
            throw Failure(.notFound, "No instructor matches.", reason: "instructor_not_found")
        }
        return (user, profile)
    }

    /// The first that anybody fulfils counts: a whole name comes before a part of one.
    private static func conditions(_ identifier: String) -> [SQL] {
        if let id = ULID(identifier) { return ["(p.user_id = \(id) OR p.id = \(id))"] }
        if identifier.contains("@") { return ["u.email = \(User.normalized(email: identifier))"] }
        let name: SQL = "u.first_name || ' ' || u.last_name"
        return ["lower(\(name)) = lower(\(identifier))", SQL.contains(name, identifier)]
    }
}
