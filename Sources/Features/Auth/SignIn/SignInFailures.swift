import Kernel
import Storage

/// One row of `sign_in_failures`: the failed sign-ins of one address, whether somebody
/// has it or not, and the lock that comes of them (domain specification §4.2).
struct SignInFailures: Sendable, RowDecodable {
    /// A failure is forgotten so long after the last one.
    static let memory = Duration.seconds(3_600)
    /// With so many failures a captcha is asked for.
    static let captchaThreshold = 3
    /// After so many failures, so long a lock.
    private static let locks: [(failures: Int, seconds: Int)] = [
        (20, 3_600), (15, 1_800), (10, 300), (5, 30),
    ]

    var email: String
    var failures: Int
    var firstFailedAt: Instant
    var lastFailedAt: Instant
    var lockedUntil: Instant?
    var lastIP: String?

    static let columns: SQL = "email, failures, first_failed_at, last_failed_at, locked_until, last_ip"

    init(row: Row) throws {
        email = try row.get(at: 0)
        failures = try row.get(at: 1)
        firstFailedAt = try row.get(at: 2)
        lastFailedAt = try row.get(at: 3)
        lockedUntil = try row.get(at: 4)
        lastIP = try row.get(at: 5)
    }

    /// How long the lock after the `count`th failure is.
    static func lock(after count: Int) -> Duration? {
        locks.first { count >= $0.failures }.map { .seconds($0.seconds) }
    }

    /// Whether there is anything that still counts.
    func isCurrent(at now: Instant) -> Bool { count(at: now) > 0 || lock(at: now) != nil }

    func count(at now: Instant) -> Int { now < lastFailedAt + Self.memory ? failures : 0 }

    /// The end of its lock, if that is still to come.
    func lock(at now: Instant) -> Instant? { lockedUntil.flatMap { $0 > now ? $0 : nil } }

    static func find(_ email: String, _ db: Snapshot) throws -> SignInFailures? {
        try db.one("SELECT \(columns) FROM sign_in_failures WHERE email = \(email)")
    }

    /// Those that still count, latest first.
    static func list(lockedOnly: Bool, limit: Int, _ db: Snapshot, now: Instant) throws -> [SignInFailures] {
        let locked: SQL = "locked_until IS NOT NULL AND locked_until > \(now)"
        let recent: SQL = "failures > 0 AND last_failed_at > \(now - memory)"
        let condition = lockedOnly ? locked : "(" + recent + ") OR (" + locked + ")"
        return try db.all(
            """
            SELECT \(columns) FROM sign_in_failures WHERE \(condition)
            ORDER BY last_failed_at DESC, email LIMIT \(limit)
            """)
    }

    /// The address's row, held until the end of the transaction: sign-ins of one
    /// address are judged one after the other, so that a hundred at once are no more
    /// guesses than five.
    static func hold(_ email: String, _ tx: Transaction, _ context: Context) throws -> SignInFailures? {
        try tx.one(
            """
            INSERT INTO sign_in_failures (email, failures, first_failed_at, last_failed_at, last_ip)
            VALUES (\(email), 0, \(context.now), \(context.now), \(context.ip))
            ON CONFLICT (email) DO UPDATE SET email = excluded.email RETURNING \(columns)
            """)
    }

    /// Counts a failure of an address that is held, and locks it when it is one too many.
    static func add(_ held: SignInFailures?, _ email: String, _ tx: Transaction, _ context: Context) throws {
        let now = context.now
        let before = held?.count(at: now) ?? 0
        let first = before == 0 ? now : held?.firstFailedAt
        let lock = lock(after: before + 1).map { now + $0 }
        try tx.run(
            """
            UPDATE sign_in_failures SET failures = \(before + 1), first_failed_at = \(first), \
            last_failed_at = \(now), locked_until = \(lock), last_ip = \(context.ip) WHERE email = \(email)
            """)
        for window in RateWindow.failures(of: email) { try window.take(tx, now: now) }
    }

    /// Until when nobody may try: its lock, or a limit that is used up.
    static func blocked(_ email: String, _ row: SignInFailures?, _ db: Snapshot, now: Instant) throws
        -> Instant?
    {
        let windows = try RateWindow.failures(of: email).compactMap { try $0.fullUntil(db, now: now) }
        return (windows + [row?.lock(at: now)].compactMap { $0 }).max()
    }

    /// - Returns: whether there was anything to forget.
    @discardableResult
    static func clear(_ email: String, _ tx: Transaction) throws -> Bool {
        for window in RateWindow.failures(of: email) { try window.clear(tx) }
        return try tx.run("DELETE FROM sign_in_failures WHERE email = \(email)").affected > 0
    }
}
