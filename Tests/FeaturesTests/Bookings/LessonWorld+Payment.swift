import Features
import JSON
import Kernel
import PlatformSupport
import Storage

// Booking and paying, with the built-in provider.
extension LessonWorld {
    var sandbox: StripeSandbox {
        StripeSandbox(database: platform.database, context: platform.context(.system("test")))
    }

    /// The teacher can be paid.
    func connect() async throws {
        let (id, now) = (platform.environment.ids.next(at: platform.now), platform.now)
        try await sandbox.addAccount(Self.account)
        try await platform.execute(
            """
            INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
            onboarding_completed, created_at, updated_at)
            VALUES (\(id), \(teacher.profile), \(Self.account), \(true), \(now), \(now))
            """)
    }

    /// Books and answers the booking's id.
    func book(_ arguments: JSONObject? = nil, as actor: Actor? = nil) async throws -> ULID {
        let answer = try await platform.call(
            "booking_create", arguments ?? self.arguments(), as: actor ?? student)
        guard let id = answer["booking"]?["id"]?.stringValue.flatMap({ ULID($0) }) else {
            throw Failure(.internal, "no booking")
        }
        return id
    }

    /// The student gives a card in the browser.
    func card(_ name: String = "pm_card_visa", for booking: ULID) async throws -> String {
        let setup: String? = try await platform.value(
            "SELECT setup_intent_id FROM booking_payments WHERE booking_id = \(booking)")
        return try await sandbox.giveCard(name, to: setup ?? "")
    }

    @discardableResult
    func confirm(_ booking: ULID, _ card: String, save: Bool = false, as actor: Actor? = nil) async throws
        -> JSONValue
    {
        try await platform.call(
            "booking_confirm_payment", confirmation(booking, card, save), as: actor ?? student)
    }

    func confirmation(_ booking: ULID, _ card: String, _ save: Bool = false) -> JSONObject {
        [
            "id": .string(booking.description), "payment_method_id": .string(card),
            "save_payment_method": .bool(save),
        ]
    }

    func booking(_ id: ULID) async throws -> Booking {
        let found = try await platform.database.read { try Booking.find(id, $0) }
        guard let found else { throw Failure(.notFound, "no booking") }
        return found
    }

    func payment(_ id: ULID) async throws -> BookingPayment {
        let found = try await platform.database.read { try BookingPayment.of(id, $0) }
        guard let found else { throw Failure(.notFound, "no payment") }
        return found
    }

    func events(_ booking: ULID) async throws -> [String] {
        try await platform.database.read { db in
            try db.values("SELECT event_type FROM payment_events WHERE booking_id = \(booking) ORDER BY id")
        }
    }

    func notified(_ user: ULID) async throws -> [String] {
        try await platform.database.read { db in
            try db.values("SELECT type FROM notifications WHERE user_id = \(user) ORDER BY id")
        }
    }
}
