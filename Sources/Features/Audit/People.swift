import Kernel
import Storage

/// Entries name people by their ids; who that is stands with the person, and goes with them.
enum People {
    /// The entries with the present addresses of the people who made them; one
    /// statement at most.
    static func named(_ entries: [AuditEntry], _ db: Snapshot) throws -> [AuditEntry] {
        let ids = Set(entries.filter { $0.actorType == .user && $0.actorEmail == nil }.compactMap(\.actorID))
        guard !ids.isEmpty else { return entries }
        var addresses: [String: String] = [:]
        for row in try db.rows("SELECT id, email FROM users WHERE id \(in: ids.sorted())") {
            addresses[try row.get(at: 0)] = try row.get(at: 1)
        }
        return entries.map { entry in
            guard let id = entry.actorID, entry.actorEmail == nil else { return entry }
            var named = entry
            named.actorEmail = addresses[id]
            return named
        }
    }
}
