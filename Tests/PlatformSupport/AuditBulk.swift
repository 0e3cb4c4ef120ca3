import Kernel
import Storage

/// Many audit entries at once, as a busy month leaves them.
package enum AuditBulk {
    /// Inserts `count` entries of users, one hour before the present, that wait
    /// for their seal unless told otherwise.
    package static func insert(_ count: Int, into platform: TestPlatform, isPending: Bool = true) async throws
    {
        let time = platform.now - .seconds(3_600)
        try await platform.database.write { tx in
            let numbers: SQL =
                switch tx.dialect {
                case .sqlite:
                    """
                    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < \(count))
                    SELECT i FROM n
                    """
                case .postgres: "SELECT i FROM generate_series(0, \(count) - 1) AS n (i)"
                }
            // Ten characters of time, then digits that tell two such calls apart, then a number.
            let time10 = String(ULID.first(at: time).description.prefix(10))
            let base = time10 + String(Int.random(in: 100_000_000...999_999_999))
            try tx.run(
                """
                INSERT INTO audit_logs (id, timestamp, category, actor_type, actor_id, actor_email, action, \
                resource_type, resource_id, status)
                SELECT \(base) || CAST(1000000 + i AS TEXT), \(time), 'user', 'user', \
                'u1', 'user@example.com', 'user.login', 'user', 'u1', 'success' FROM (\(numbers)) AS numbers
                """)
            guard isPending else { return }
            try tx.run(
                "INSERT INTO audit_pending (entry_id) SELECT id FROM audit_logs WHERE id LIKE \(base + "1%")")
        }
    }
}
