import Kernel
import Storage

/// A limit that all processes share: so many in so long, counted from the first.
///
/// Keys are stored hashed, as addresses are in them.
struct RateWindow: Sendable {
    var key: String
    var limit: Int
    var length: Duration

    private var stored: String { String(Secrets.hash(key).prefix(32)) }

    /// Counts one.
    ///
    /// - Throws: ``Kernel/Failure/Code/rateLimited`` with the wait when it is one too many.
    func take(_ tx: Transaction, now: Instant) throws {
        let isOver: SQL = "rate_windows.ends_at <= \(now)"
        let row = try tx.rows(
            """
            INSERT INTO rate_windows (key, started_at, ends_at, count)
            VALUES (\(stored), \(now), \(now + length), 1)
            ON CONFLICT (key) DO UPDATE SET
                started_at = CASE WHEN \(isOver) THEN excluded.started_at ELSE rate_windows.started_at END,
                ends_at = CASE WHEN \(isOver) THEN excluded.ends_at ELSE rate_windows.ends_at END,
                count = CASE WHEN \(isOver) THEN 1 ELSE rate_windows.count + 1 END
            RETURNING count, ends_at
            """
        ).first
        guard let row, try row.get(at: 0, as: Int.self) > limit else { return }
        throw Self.refusal(until: try row.get(at: 1), now: now)
    }

    /// Until when it is used up; nil when there is room.
    func fullUntil(_ db: Snapshot, now: Instant) throws -> Instant? {
        try db.value(
            "SELECT ends_at FROM rate_windows WHERE key = \(stored) AND ends_at > \(now) AND count >= \(limit)"
        )
    }

    /// Refuses what would be one too many, before anything slow is done for it.
    func requireRoom(_ db: Snapshot, now: Instant) throws {
        if let end = try fullUntil(db, now: now) { throw Self.refusal(until: end, now: now) }
    }

    func clear(_ tx: Transaction) throws { try tx.run("DELETE FROM rate_windows WHERE key = \(stored)") }

    static func refusal(until end: Instant, now: Instant, reason: String = "rate_limited") -> Failure {
        let wait = end - now
        let seconds = max(1, wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0))
        var failure = Failure(
            .rateLimited, "Too many attempts.", hint: "Try again in \(seconds) seconds.", reason: reason)
        failure.retryAfter = .seconds(seconds)
        return failure
    }
}

// Domain specification §4.2. Whatever is tried counts, also what is refused: whoever takes
// from one and refuses throws a ``Kernel/KeptRefusal``.
extension RateWindow {
    static func signIn(ip: String?) -> RateWindow {
        RateWindow(key: "sign-in/\(ip ?? "")", limit: 20, length: .seconds(60))
    }
    static func secondStep(ip: String?) -> RateWindow {
        RateWindow(key: "second-step/\(ip ?? "")", limit: 20, length: .seconds(60))
    }
    static func refresh(ip: String?) -> RateWindow {
        RateWindow(key: "refresh/\(ip ?? "")", limit: 20, length: .seconds(60))
    }
    /// Failures only.
    static func failures(of email: String) -> [RateWindow] {
        [
            RateWindow(key: "failures/minute/\(email)", limit: 5, length: .seconds(60)),
            RateWindow(key: "failures/hour/\(email)", limit: 20, length: .seconds(3_600)),
        ]
    }
    static func registration(ip: String?) -> RateWindow {
        RateWindow(key: "register/\(ip ?? "")", limit: 10, length: .seconds(3_600))
    }
    static func resetRequest(email: String, ip: String?) -> [RateWindow] {
        [
            RateWindow(key: "reset/email/\(email)", limit: 5, length: .seconds(3_600)),
            RateWindow(key: "reset/ip/\(ip ?? "")", limit: 10, length: .seconds(3_600)),
        ]
    }
    static func resetConfirm(ip: String?) -> RateWindow {
        RateWindow(key: "reset/confirm/\(ip ?? "")", limit: 10, length: .seconds(60))
    }
    /// Wrong second factors and wrong passwords of somebody who is signed in.
    static func proof(of user: ULID) -> RateWindow {
        RateWindow(key: "proof/\(user)", limit: 5, length: .seconds(300))
    }
    static func phoneCode(of user: ULID) -> RateWindow {
        RateWindow(key: "phone/\(user)", limit: 5, length: .seconds(3_600))
    }
}
