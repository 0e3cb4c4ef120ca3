import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Synchronization
import TestSupport

/// A platform with people on it, and Checkr's webhooks on their way back to it.
struct InstructorWorld: Sendable {
    /// An instructor as tests speak of them.
    struct Person: Sendable {
        var actor: Actor
        var user: ULID
        var profile: ULID
        /// The profile's id as an argument.
        var id: JSONObject { ["id": .string(profile.description)] }
    }

    let platform: TestPlatform
    let admin: Actor
    let student: Actor

    /// - Parameter isBuiltIn: the built-in Checkr; otherwise the one of `clients`.
    static func with(
        _ dialect: Dialect, isBuiltIn: Bool = true, clients: Clients? = nil,
        configure: (inout Configuration) -> Void = { _ in },
        _ body: (InstructorWorld) async throws -> Void
    ) async throws {
        let loop = Loopback()
        try await TestPlatform.with(
            dialect, clients: clients ?? loop.clients,
            configure: {
                if isBuiltIn {
                    ($0.checkrAPIKey, $0.checkrWebhookUser, $0.checkrWebhookPass) = (nil, nil, nil)
                }
                configure(&$0)
            }
        ) { platform in
            loop.use(platform)
            defer { loop.use(nil) }
            try await body(
                InstructorWorld(
                    platform: platform, admin: try await platform.person(.admin),
                    student: try await platform.person(.student)))
        }
    }

    /// Somebody who has just registered as an instructor.
    func instructor(_ firstName: String = "Ada", _ lastName: String = "Clear") async throws -> Person {
        let actor = try await platform.person(.instructor, firstName: firstName, lastName: lastName)
        let user = try actor.userID
        let context = platform.context(actor)
        let profile = try await platform.database.transaction(context, category: .user) { tx, _ in
            try RegisterInstructor.run(user, roles: [.instructor], tx, context)
            guard let profile = try InstructorProfile.find(user: user, tx) else {
                throw Failure(.internal, "no profile")
            }
            return profile.id
        }
        return Person(actor: actor, user: user, profile: profile)
    }

    /// Somebody with all that going live takes.
    func readyInstructor(_ firstName: String = "Ada", _ lastName: String = "Clear") async throws -> Person {
        let person = try await instructor(firstName, lastName)
        try await giveService(person)
        try await givePayouts(person)
        try await act { tx, context in
            guard let profile = try InstructorProfile.lock(person.profile, tx) else { return }
            try profile.noteServices(tx, context)
        }
        try await platform.execute(
            "UPDATE instructor_profiles SET identity_verified_at = \(platform.now) WHERE id = \(person.profile)"
        )
        _ = try await platform.call("bgc_mock_pass", person.id, as: person.actor)
        return person
    }

    func liveInstructor(_ firstName: String = "Ada", _ lastName: String = "Clear") async throws -> Person {
        let person = try await readyInstructor(firstName, lastName)
        _ = try await platform.call("my_instructor_profile_go_live", as: person.actor)
        return person
    }

    func giveService(_ person: Person) async throws {
        try await platform.execute(
            """
            INSERT INTO instructor_services (id, instructor_profile_id, service_catalog_id, hourly_rate_cents, \
            duration_options, teaches_kids, teaches_adults, offers_travel, offers_at_location, offers_online, \
            is_active, created_at, updated_at)
            VALUES (\(platform.environment.ids.next()), \(person.profile), \(CatalogSeed.service("violin")), 9000, \
            '[60]', \(false), \(true), \(false), \(false), \(true), \(true), \(platform.now), \(platform.now))
            """)
    }

    func givePayouts(_ person: Person) async throws {
        try await platform.execute(
            """
            INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
            onboarding_completed, created_at, updated_at)
            VALUES (\(platform.environment.ids.next()), \(person.profile), \("acct_\(person.profile)"), \(true), \
            \(platform.now), \(platform.now))
            """)
    }

    func book(_ person: Person, status: String = "CONFIRMED") async throws {
        try await platform.execute(
            """
            INSERT INTO bookings (id, student_id, instructor_id, status, payment_status, created_at, updated_at)
            VALUES (\(platform.environment.ids.next()), \(TestPlatform.user), \(person.user), \(status), \
            'scheduled', \(platform.now), \(platform.now))
            """)
    }

    /// Has the database renew everybody else's check in the statement that takes somebody down.
    func renewOthersWhenOneIsTakenDown() async throws {
        let update: SQL = "UPDATE instructor_profiles SET bgc_valid_until = NULL WHERE id <> NEW.id"
        switch platform.database.dialect {
        case .sqlite:
            try await platform.execute(
                """
                CREATE TRIGGER renew_others AFTER UPDATE OF is_live ON instructor_profiles
                WHEN OLD.is_live AND NOT NEW.is_live BEGIN \(update); END
                """)
        case .postgres:
            try await platform.execute(
                """
                CREATE FUNCTION renew_others() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN \(update); RETURN NEW; END $$
                """,
                """
                CREATE TRIGGER renew_others AFTER UPDATE OF is_live ON instructor_profiles FOR EACH ROW
                WHEN (OLD.is_live AND NOT NEW.is_live) EXECUTE FUNCTION renew_others()
                """)
        }
    }

    /// A transaction of the platform itself.
    @discardableResult
    func act<T: Sendable>(_ body: @escaping @Sendable (Transaction, Context) throws -> T) async throws -> T {
        let context = platform.context(.system("test"), surface: .job)
        return try await platform.database.transaction(context, category: .automated) { tx, _ in
            try body(tx, context)
        }
    }

    func profile(_ person: Person) async throws -> InstructorProfile {
        let found = try await platform.database.read { try InstructorProfile.find(person.profile, $0) }
        guard let found else { throw Failure(.internal, "no profile") }
        return found
    }

    /// The events of the funnel, oldest first.
    func events(_ person: Person) async throws -> [String] {
        try await platform.database.read { db in
            try db.values(
                """
                SELECT event_type FROM instructor_lifecycle_events WHERE user_id = \(person.user) ORDER BY id
                """)
        }
    }

    func consent(_ person: Person) async throws {
        _ = try await platform.call(
            "bgc_consent_give",
            person.id.merging(["consent_version": "2026-01", "disclosure_version": "2026-01"]),
            as: person.actor)
    }

    /// `action/status` of the entries about an instructor, oldest first.
    func entries(_ person: Person) async throws -> [String] {
        await platform.recorder.flush()
        return try await platform.database.read { db in
            try db.rows(
                """
                SELECT action, status FROM audit_logs WHERE resource_id = \(person.profile.description) ORDER BY id
                """
            ).map { "\(try $0.get(at: 0, as: String.self))/\(try $0.get(at: 1, as: String.self))" }
        }
    }
}

extension Actor {
    var userID: ULID {
        get throws {
            guard let id = id.flatMap({ ULID($0) }) else { throw Failure(.internal, "not a person") }
            return id
        }
    }
}

/// The way from the built-in Checkr and Stripe to our own endpoints.
final class Loopback: Sendable {
    private let platform = Mutex<TestPlatform?>(nil)

    func use(_ platform: TestPlatform?) { self.platform.withLock { $0 = platform } }

    var clients: Clients {
        Clients(send: { request in
            guard let platform = self.platform.withLock({ $0 }),
                let source = platform.features.flatMap(\.webhooks).first(where: {
                    request.url == "http://127.0.0.1:8000" + $0.path
                })
            else { throw Clients.HTTPProblem.unreachable }
            let incoming = WebhookRequest(
                headers: request.headers.map { (name: $0.0, value: $0.1) }, body: request.body)
            do {
                _ = try await platform.ledger.receive(
                    source, incoming, platform.context(.webhook(source.name), surface: .webhook))
                return .init(status: 200, body: [])
            } catch let refusal as WebhookRefusal { return .init(status: refusal.status, body: []) }
        })
    }
}
