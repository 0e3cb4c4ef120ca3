import JSON
import Logging
import ServiceLifecycle
package import Storage

/// Seals the entries of changes into the Merkle tree, within a second of their
/// commit.
///
/// A change never waits for it: it leaves its entry's id in `audit_pending`, and
/// each round seals what is there in one transaction. Entries of reads are
/// sealed as ``AuditRecorder`` writes them. Any number of processes may seal.
package final class AuditSealer: Service, Sendable {
    package static let interval = Duration.milliseconds(250)
    static let batch = 2_000

    private let database: any Database
    private let seal: AuditSeal
    private let environment: Environment

    package init(database: any Database, signer: NoteSigner, environment: Environment) {
        self.database = database
        seal = AuditSeal(signer: signer)
        self.environment = environment
    }

    package func run() async throws {
        while !Task.isShuttingDownGracefully && !Task.isCancelled {
            do { try await sealAll() } catch {
                environment.logger.error("sealing the audit log failed", metadata: ["error": "\(error)"])
            }
            // An idle stop does not wait for the rest of the pause.
            await cancelWhenGracefulShutdown { try? await Task.sleep(for: Self.interval) }
        }
        try? await sealAll()
    }

    /// Seals and counts everything that is committed now.
    package func sealAll() async throws {
        while try await sealBatch() == Self.batch {}
        // What is not folded after all is folded by the next round.
        while try await database.write({ tx in
            try tx.deferDurability()
            return try Tally.compact(tx)
        }) > 0 {}
    }

    /// - Returns: how many entries were sealed.
    private func sealBatch() async throws -> Int {
        let (seal, now) = (seal, environment.now())
        let waiting = try await database.read { db in
            try db.value("SELECT 1 FROM audit_pending LIMIT 1", as: Int.self) != nil
        }
        guard waiting else { return 0 }
        return try await database.write { tx in
            try AuditSeal.lock(tx)
            let ids: [String] = try tx.values(
                "SELECT entry_id FROM audit_pending ORDER BY entry_id LIMIT \(Self.batch)")
            guard !ids.isEmpty else { return 0 }
            let entries: [AuditEntry] = try tx.all(
                "SELECT \(AuditLog.columns) FROM audit_logs WHERE id \(in: ids) ORDER BY id")
            guard !entries.isEmpty else { return 0 }
            try seal.append(entries, to: try seal.frontier(tx), at: now, tx)
            try tx.run("DELETE FROM audit_pending WHERE entry_id \(in: entries.map(\.id.description))")
            return ids.count
        }
    }
}

/// One row of `audit_checkpoints`: the signed size and root of the tree.
package struct AuditCheckpoint: Sendable, RowDecodable {
    package var size: Int
    package var note: String
    package var createdAt: Instant
    var frontier: MerkleFrontier?

    package init(row: Row) throws {
        size = try row.get(at: 0)
        note = try row.get(at: 1)
        createdAt = try row.get(at: 2)
        frontier = try JSONCoding.decode(
            MerkleFrontier.self, from: Array(row.get(at: 3, as: String.self).utf8))
    }

    package static func latest(_ db: Snapshot) throws -> AuditCheckpoint? {
        try db.one(
            "SELECT size, note, created_at, frontier FROM audit_checkpoints ORDER BY size DESC LIMIT 1")
    }

    static func store(_ frontier: MerkleFrontier, _ signer: NoteSigner, at now: Instant, _ tx: Transaction)
        throws
    {
        let note = try Checkpoint(origin: signer.verifier.name, size: frontier.size, root: frontier.root)
            .signed(by: signer).description
        try tx.run(
            """
            INSERT INTO audit_checkpoints (size, root, note, frontier, created_at) VALUES (\(frontier.size), \
            \(frontier.root.bytes), \(note), \
            \(String(decoding: try JSONCoding.encode(frontier), as: UTF8.self)), \(now))
            """)
    }
}
