import Kernel
import Storage

/// What the instructor's lessons come to.
struct ShowBookingStats: Query {
    static let name = "booking_stats"
    static let summary = "How many lessons you gave and are going to give, and what you earned."
    static let audience = Audience.holders(.viewIncomingBookings)
    static let route = Route.get("bookings/stats")

    struct Output: Codable, Sendable {
        var totalBookings: Int
        var upcomingBookings: Int
        var completedBookings: Int
        var cancelledBookings: Int
        var noShowBookings: Int
        /// Of those that ended one way or another, from 0 to 1; null without any.
        var completionRate: Double?
        var cancellationRate: Double?
        /// In dollars, what the platform owes or has paid for lessons.
        var totalEarnings: Double
        var totalEarningsCents: Int
        /// Since the first of the month where the instructor lives.
        var thisMonthEarnings: Double
        var thisMonthEarningsCents: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, now) = (try context.userID(), context.now)
        return try await db.read { db in
            let zone = try AvailabilityCalendar.zone(of: user, db)
            let today = zone.day(now)
            let month = zone.instant(today.adding(days: 1 - today.day), minute: 0)
            let counts = try counts(user, now, db)
            let (total, recent) = try Ledger.earned(by: user, since: month, db)
            let ended = counts[2] + counts[3] + counts[4]
            func rate(_ count: Int) -> Double? { ended == 0 ? nil : Double(count) / Double(ended) }
            return Output(
                totalBookings: counts[0], upcomingBookings: counts[1], completedBookings: counts[2],
                cancelledBookings: counts[3], noShowBookings: counts[4], completionRate: rate(counts[2]),
                cancellationRate: rate(counts[3]), totalEarnings: DollarAmount(cents: total).dollars,
                totalEarningsCents: total, thisMonthEarnings: DollarAmount(cents: recent).dollars,
                thisMonthEarningsCents: recent)
        }
    }

    /// All, upcoming, completed, cancelled and no-show.
    private func counts(_ user: ULID, _ now: Instant, _ db: Snapshot) throws -> [Int] {
        let row = try db.rows(
            """
            SELECT COUNT(*), COUNT(CASE WHEN status = 'CONFIRMED' AND booking_start_utc > \(now) THEN 1 END),
                COUNT(CASE WHEN status = 'COMPLETED' THEN 1 END),
                COUNT(CASE WHEN status = 'CANCELLED' THEN 1 END),
                COUNT(CASE WHEN status = 'NO_SHOW' THEN 1 END)
            FROM bookings WHERE instructor_id = \(user) AND confirmed_at IS NOT NULL
            """
        ).first
        return try (0..<5).map { try row?.get(at: $0) ?? 0 }
    }
}

extension Ledger {
    /// What an instructor earned, in all and since a moment: their shares of lessons, less
    /// what went back to students.
    static func earned(by instructor: ULID, since: Instant, _ db: Snapshot) throws -> (
        total: Int, recent: Int
    ) {
        let amount: SQL = "CASE WHEN credit = 'instructor_payable' THEN amount_cents ELSE -amount_cents END"
        let row = try db.rows(
            """
            SELECT CAST(COALESCE(SUM(\(amount)), 0) AS BIGINT),
                CAST(COALESCE(SUM(CASE WHEN created_at >= \(since) THEN \(amount) ELSE 0 END), 0) AS BIGINT)
            FROM ledger_movements WHERE instructor_id = \(instructor) AND kind \(in: earningKinds)
            """
        ).first
        return (try row?.get(at: 0) ?? 0, try row?.get(at: 1) ?? 0)
    }

    private static let earningKinds = [
        MovementKind.instructorShare, .shareWithoutCharge, .refundOfShare, .creditFromShare, .disputeOfShare,
    ].map(\.rawValue)
}
