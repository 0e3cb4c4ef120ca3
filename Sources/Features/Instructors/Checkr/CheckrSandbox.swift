import JSON
import Kernel
import Storage

/// A Checkr of our own, for where the real one is not configured.
///
/// It answers as Checkr does and then tells the rest by signed webhooks to our own
/// endpoint. What comes out follows from the last name: `Consider`, `Review`,
/// `Suspended`, `Canceled` and `Disputed` end so, everybody else is clear.
struct CheckrSandbox: Sendable {
    let database: any Database
    let context: Context

    var port: Checkr {
        Checkr(
            createCandidate: { candidate, key in try await create(candidate, key) },
            findCandidate: { customID in
                try await read(
                    "SELECT id FROM checkr_sandbox_candidates WHERE custom_id = \(customID) ORDER BY id DESC LIMIT 1"
                )
            },
            invite: { candidate, package, _, key in try await invite(candidate, package, key) },
            findInvitation: { candidate, since in
                try await read(
                    """
                    SELECT id FROM checkr_sandbox_invitations
                    WHERE candidate_id = \(candidate) AND created_at >= \(since) ORDER BY id DESC LIMIT 1
                    """)
            },
            report: { id in try await report(id) })
    }

    private func read(_ sql: SQL) async throws -> CheckrOutcome<String?> {
        .done(try await database.read { try $0.value(sql, as: String.self) })
    }

    private func create(_ candidate: Checkr.Candidate, _ key: String) async throws -> CheckrOutcome<String> {
        let (id, now) = ("cand_\(context.newID())", context.environment.now())
        return .done(
            try await database.write { tx in
                try tx.run(
                    """
                    INSERT INTO checkr_sandbox_candidates (id, custom_id, email, first_name, last_name, \
                    idempotency_key, created_at)
                    VALUES (\(id), \(candidate.customID), \(candidate.email), \(candidate.firstName), \
                    \(candidate.lastName), \(key), \(now)) ON CONFLICT (idempotency_key) DO NOTHING
                    """)
                return try tx.value("SELECT id FROM checkr_sandbox_candidates WHERE idempotency_key = \(key)")
                    ?? id
            })
    }

    private func invite(_ candidate: String, _ package: String, _ key: String) async throws
        -> CheckrOutcome<String>
    {
        let context = context
        guard package == "basic_plus" || package == "essential" || package == "professional" else {
            return .refused(.noPackage)
        }
        return try await database.transaction(context, category: .automated) { tx, _ in
            let name: String? = try tx.value(
                "SELECT last_name FROM checkr_sandbox_candidates WHERE id = \(candidate)")
            guard let name else { return .refused(.other) }
            let (id, now) = ("inv_\(context.newID())", context.environment.now())
            let isNew =
                try tx.run(
                    """
                    INSERT INTO checkr_sandbox_invitations (id, candidate_id, package, idempotency_key, created_at)
                    VALUES (\(id), \(candidate), \(package), \(key), \(now))
                    ON CONFLICT (idempotency_key) DO NOTHING
                    """
                ).affected > 0
            if isNew {
                try CheckrCourse(candidate: candidate, invitation: id, package: package, lastName: name)
                    .plan(from: now, tx, context)
                return .done(id)
            }
            let first: String? = try tx.value(
                "SELECT id FROM checkr_sandbox_invitations WHERE idempotency_key = \(key)")
            return .done(first ?? id)
        }
    }

    private func report(_ id: String) async throws -> CheckrOutcome<JSONValue> {
        let found = try await database.read { db -> JSONObject? in
            try db.rows(
                """
                SELECT candidate_id, package, status, result, assessment, completed_at
                FROM checkr_sandbox_reports WHERE id = \(id)
                """
            ).first.map { row in
                let completed: Instant? = try row.get(at: 5)
                func text(_ index: Int) throws -> JSONValue {
                    try row.get(at: index, as: String?.self).map { .string($0) } ?? .null
                }
                return [
                    "id": .string(id), "object": "report", "candidate_id": try text(0),
                    "package": try text(1),
                    "status": try text(2), "result": try text(3), "assessment": try text(4),
                    "completed_at": completed.map { .string($0.description) } ?? .null,
                ]
            }
        }
        return found.map { .done(.object($0)) } ?? .refused(.other)
    }
}
