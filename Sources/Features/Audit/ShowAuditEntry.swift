import JSON
import Kernel
import Storage

/// Shows one audit entry whole, with the seal that proves it.
struct ShowAuditEntry: Query {
    static let name = "audit_entry"
    static let title = "Audit entry"
    static let summary =
        "One audit entry with its metadata and its seal: sequence number, leaf hash and covering checkpoint."
    static let route = Route.get("audit/entries/:entry_id")

    @Input("Entry id, as returned by the audit tools.") var entryID: ULID

    var subject: Subject? { Subject("audit_entry", entryID.description) }

    struct Output: Codable, Sendable {
        struct Meta: Codable, Sendable {
            var requestID: String
            var generatedAt: Instant
        }
        /// Null for the moment between an entry's commit and its sealing.
        struct Seal: Codable, Sendable {
            var seq: Int
            /// SHA-256(0x00 || exported line), base64.
            var leafHash: String
            /// Size of the first signed checkpoint that covers the entry.
            var checkpointSize: Int
        }
        var meta: Meta
        var entry: AuditEntryView
        var category: AuditCategory
        var actorIP: String?
        var actorUserAgent: String?
        var traceID: String?
        var seal: Seal?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let id = entryID
        let found = try await db.read { db -> (AuditEntry, Output.Seal?)? in
            guard let entry = try AuditLog.find(id, db) else { return nil }
            return (try People.named([entry], db)[0], try Self.seal(of: id, db))
        }
        guard let (entry, seal) = found else {
            throw Failure(
                .notFound, "There is no audit entry with the id \(id).",
                hint: "audit_search lists ids; entries of reads appear within a tenth of a second.",
                reason: "audit_entry_not_found")
        }
        return Output(
            meta: .init(requestID: context.requestID, generatedAt: context.now),
            entry: AuditEntryView(entry, detail: true), category: entry.category, actorIP: entry.actorIP,
            actorUserAgent: entry.actorUserAgent.map { UntrustedText.cleaned($0, maximumCharacters: 500) },
            traceID: entry.traceID, seal: seal)
    }

    private static func seal(of id: ULID, _ db: Snapshot) throws -> Output.Seal? {
        let row = try db.rows(
            """
            SELECT seq, leaf_hash, (SELECT MIN(size) FROM audit_checkpoints WHERE size > seq)
            FROM audit_leaves WHERE entry_id = \(id)
            """
        ).first
        guard let row, let hash = MerkleHash(bytes: try row.get(at: 1, as: [UInt8].self)) else { return nil }
        return Output.Seal(
            seq: try row.get(at: 0), leafHash: hash.base64,
            checkpointSize: try row.get(at: 2, as: Int?.self) ?? 0)
    }
}
