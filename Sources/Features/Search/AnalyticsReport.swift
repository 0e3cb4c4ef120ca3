package import JSON
import Kernel
package import Storage

/// One row of `analytics_reports`: what a job found about a stretch of time.
package struct AnalyticsReport: Sendable {
    package enum Kind: String, Sendable, SQLBindable {
        case daily, searchMetrics = "search_metrics", searchInsights = "search_insights"
    }

    package var kind: Kind
    package var start: Instant
    package var body: JSONValue

    /// Computing it again replaces it.
    func store(_ tx: Transaction, now: Instant) throws {
        try tx.run(
            """
            INSERT INTO analytics_reports (kind, period_start, body, created_at)
            VALUES (\(kind), \(start), \(body.text), \(now)) ON CONFLICT (kind, period_start) DO UPDATE
            SET body = excluded.body, created_at = excluded.created_at
            """)
    }

    package static func latest(_ kind: Kind, _ db: Snapshot) throws -> JSONValue? {
        let body: String? = try db.value(
            "SELECT body FROM analytics_reports WHERE kind = \(kind) ORDER BY period_start DESC LIMIT 1")
        return try body.map { try JSONValue(parsing: $0) }
    }
}
