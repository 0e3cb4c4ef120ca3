import Storage

/// Extends the Merkle tree over the audit log, inside a transaction.
///
/// Gives every entry its sequence number and leaf, signs a checkpoint and
/// counts the entries. A lock lines up everyone who seals, in any process.
struct AuditSeal: Sendable {
    let signer: NoteSigner

    /// Before reading what is to be sealed, or sealing what was just inserted.
    static func lock(_ tx: Transaction) throws { try tx.lock("instainstru audit seal") }

    /// What the tree has grown to; the lock is held.
    ///
    /// Throws ``Checkpoint/Problem`` when another key signed it: a tool started
    /// with the wrong key must not extend the log.
    func frontier(_ tx: Transaction) throws -> MerkleFrontier {
        guard let latest = try AuditCheckpoint.latest(tx) else { return MerkleFrontier() }
        _ = try Checkpoint(verifying: latest.note, with: signer.verifier)
        return latest.frontier ?? MerkleFrontier()
    }

    /// - Parameters:
    ///   - entries: in the order of their ids, not sealed before.
    ///   - frontier: of this transaction.
    func append(
        _ entries: [AuditEntry], to frontier: MerkleFrontier, at now: Instant, _ tx: Transaction
    ) throws {
        guard !entries.isEmpty else { return }
        var frontier = frontier
        var leaves: [SQL] = []
        leaves.reserveCapacity(entries.count)
        for entry in entries {
            let seq = frontier.size
            let hash = AuditLeaf(entry, seq: seq).hash
            frontier.append(hash)
            leaves.append("(\(seq), \(entry.id), \(hash.bytes))")
        }
        try tx.runMany(SQL.inserts("INSERT INTO audit_leaves (seq, entry_id, leaf_hash) VALUES", leaves))
        try AuditCheckpoint.store(frontier, signer, at: now, tx)
        try count(entries, tx)
    }

    /// Entries are counted when they are sealed; lists add those still pending.
    private func count(_ entries: [AuditEntry], _ tx: Transaction) throws {
        var sums: [Group: Int] = [:]
        for entry in entries { sums[Group(entry), default: 0] += 1 }
        for (group, sum) in sums.sorted(by: { $0.key.order < $1.key.order }) {
            try AuditLog.tally.part(group.category.rawValue).add(
                sum, at: group.minute,
                [group.action, group.actorType.rawValue, group.status.rawValue, group.resourceType], tx)
        }
    }

    private struct Group: Hashable {
        let minute: Instant
        let action: String
        let actorType: ActorType
        let status: AuditStatus
        let resourceType: String
        let category: AuditCategory

        init(_ entry: AuditEntry) {
            minute = Tally.floor(entry.id.instant)
            action = entry.action
            actorType = entry.actorType
            status = entry.status
            resourceType = entry.resourceType
            category = entry.category
        }

        /// A fixed order, so that the same entries give the same rows.
        var order: String {
            "\(minute.microseconds) \(category) \(action) \(actorType) \(status) \(resourceType)"
        }
    }
}
