import JSON
package import Kernel
import Storage

/// Ends credits that nobody used in time (domain specification §2.4).
package struct ExpireCredits: ScheduledJob {
    package static let name = "app.tasks.payment_tasks.expire_credits"
    package static let queue = Queue.payments
    package static let priority = 4
    package static let timeout = Duration.seconds(300)

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("expire-credits", cron: "20 3 * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        let sweep = PaymentSweep(attempt)
        let now = attempt.context.now
        let isThrough = try await sweep.walk({ after, limit, db in
            try db.all(
                """
                SELECT expires_at, id FROM platform_credits WHERE status = 'available' AND expires_at <= \(now)
                AND (expires_at, id) > (\(after.at), \(after.id)) ORDER BY expires_at, id LIMIT \(limit)
                """)
        }) { id in
            try await sweep.transaction { try Credit.expire(id, $0, $1) } ? "expired" : PaymentSweep.skipped
        }
        try await sweep.finish(isThrough: isThrough)
    }
}

extension Credit {
    /// Ends a credit whose time is over, unless it was taken meanwhile.
    fileprivate static func expire(_ id: ULID, _ tx: Transaction, _ context: Context) throws -> Bool {
        guard let owner: ULID = try tx.value("SELECT user_id FROM platform_credits WHERE id = \(id)") else {
            return false
        }
        _ = try User.lock(owner, tx)
        let cents: Int? = try tx.value(
            """
            UPDATE platform_credits SET status = 'expired' WHERE id = \(id) AND status = 'available'
            AND expires_at <= \(context.now) RETURNING amount_cents
            """)
        guard let cents else { return false }
        try Ledger.post(
            [.init(.creditLapsed, cents)], .init(student: owner), key: "credit_expired_\(id)", tx, context)
        try tx.audit(
            "credit.expire", Subject("credit", id.description),
            changes: changes(from: ["status": "available"], to: ["status": "expired"]),
            metadata: ["amount_cents": .int(cents)])
        return true
    }
}
