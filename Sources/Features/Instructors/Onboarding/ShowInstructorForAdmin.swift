import Kernel
import Storage

/// One instructor with everything that administrators decide by.
struct ShowInstructorForAdmin: Query {
    static let name = "instructor_admin_show"
    static let summary = "One instructor: profile, onboarding, background check, events of the funnel."
    static let audience = Audience.holders(.viewAllUsers)
    static let route = Route.get("admin/instructors/:id")
    static let action = "instructor.view"

    @Input("The instructor's user id or profile id.") var id: ULID
    var subject: Subject? { Subject("instructor", id.description) }

    struct Event: Codable, Sendable, RowDecodable {
        var eventType: LifecycleEvent
        var occurredAt: Instant

        init(row: Row) throws {
            eventType = try row.get(at: 0)
            occurredAt = try row.get(at: 1)
        }
    }

    struct Output: Codable, Sendable {
        var name: String
        var email: String
        var accountStatus: String
        var profile: ProfileView
        var check: CheckCase
        /// The newest 50.
        var lifecycle: [Event]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (id, now) = (id, context.now)
        return try await db.read { db in
            let found: ULID? = try db.value(
                "SELECT user_id FROM instructor_profiles WHERE id = \(id) OR user_id = \(id)")
            guard let user = found, let contact = try InstructorContact.find(user, db) else {
                throw Failure(
                    .notFound, "There is no instructor with the id \(id).", reason: "instructor_not_found")
            }
            let profile = try ProfileView.load(user, db, now: now)
            return Output(
                name: "\(contact.firstName) \(contact.lastName)", email: contact.email,
                accountStatus: contact.accountStatus, profile: profile,
                check: try CheckCase.find(profile.id, db),
                lifecycle: try db.all(
                    """
                    SELECT event_type, occurred_at FROM instructor_lifecycle_events WHERE user_id = \(user)
                    ORDER BY id DESC LIMIT 50
                    """))
        }
    }
}
