package import Kernel
import Storage

/// Confirms reports of a no-show that nobody disputed for a day (domain specification §2.4).
package struct ResolveUndisputedNoShows: ScheduledJob {
    package static let name = "app.tasks.payment_tasks.resolve_undisputed_no_shows"
    package static let priority = 3
    package static let timeout = Duration.seconds(300)
    /// For how long the accused may dispute.
    static let patience = Duration.seconds(24 * 3_600)

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("resolve-undisputed-no-shows", cron: "0 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        let sweep = PaymentSweep(attempt)
        let now = attempt.context.now
        let isThrough = try await sweep.walk({ after, limit, db in
            try db.all(
                """
                SELECT reported_at, booking_id FROM booking_no_shows
                WHERE resolved_at IS NULL AND disputed_at IS NULL AND reported_at <= \(now - Self.patience)
                AND (reported_at, booking_id) > (\(after.at), \(after.id))
                ORDER BY reported_at, booking_id LIMIT \(limit)
                """)
        }) { id in
            try await sweep.transaction { try Self.confirm(id, $0, $1) } ? "confirmed" : PaymentSweep.skipped
        }
        try await sweep.finish(isThrough: isThrough)
    }

    /// Looks again under the booking's lock; the money is moved by a job of its own.
    private static func confirm(_ id: ULID, _ tx: Transaction, _ context: Context) throws -> Bool {
        guard var booking = try Booking.lock(id, tx), try MoneyPlan.running(id, tx) == nil,
            try tx.value(
                """
                SELECT 1 FROM booking_no_shows WHERE booking_id = \(id) AND resolved_at IS NULL
                AND disputed_at IS NULL AND reported_at <= \(context.now - patience)
                """, as: Int.self) != nil
        else { return false }
        try NoShow.resolve(&booking, .confirmedNoDispute, by: nil, notes: nil, tx, context)
        return true
    }
}
