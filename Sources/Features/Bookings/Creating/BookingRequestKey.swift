import JSON
import Kernel
import Storage

/// What makes two calls one booking: the caller's `Idempotency-Key`.
///
/// The answer to a booking holds a secret of the provider's, so it is not kept as
/// other answers are. The booking itself remembers the key and what was asked for, and the
/// secret is asked for again.
package struct BookingRequestKey: Sendable {
    private static let longest = 200

    /// A digest of the key and its owner.
    let key: String
    /// A digest of what was asked for.
    let content: String

    /// Nil for a call without a key.
    init?(_ request: LessonRequest, _ context: Context) throws {
        guard let given = context.idempotencyKey else { return nil }
        guard (1...Self.longest).contains(given.utf8.count) else {
            throw Failure.invalid([.init("Idempotency-Key", "must have 1 to \(Self.longest) characters")])
        }
        key = Secrets.hash("\(request.studentID)/\(given)")
        content = Secrets.hash(String(decoding: try JSONCoding.encode(request), as: UTF8.self))
    }

    /// The booking that an earlier call with the key made.
    /// - Throws: ``Kernel/Failure/Code/conflict`` when that one asked for something else.
    func booking(_ db: Snapshot) throws -> ULID? {
        let row = try db.rows("SELECT id, request_content FROM bookings WHERE request_key = \(key)").first
        guard let row else { return nil }
        guard try row.get(at: 1) == content else {
            throw Failure(
                .conflict, "The Idempotency-Key was used before for another booking.",
                hint: "Use a new key for a new request.", reason: "idempotency_key_reused")
        }
        return try row.get(at: 0)
    }
}

/// Two calls with one key at the same time are one booking, too.
let bookingRequestMigration = Migration("0190_booking_requests") { _ in
    [
        "ALTER TABLE bookings ADD COLUMN request_key TEXT",
        "ALTER TABLE bookings ADD COLUMN request_content TEXT",
        "CREATE UNIQUE INDEX bookings_request ON bookings (request_key) WHERE request_key IS NOT NULL",
    ]
}
