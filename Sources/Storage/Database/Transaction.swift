/// A ``Snapshot`` that can also change what it sees.
///
/// Everything it does becomes visible together when the closure returns, or
/// never. On PostgreSQL it runs as READ COMMITTED: read what you mean to change
/// with `\(.forUpdate)`, or change it in one statement.
package final class Transaction: Snapshot {
    private(set) var actions: [@Sendable () -> Void] = []
    private(set) var notifications: [Notification] = []
    private var kept: [any Sendable] = []
    private var depth = 0
    /// What the layer above keeps for the length of the transaction.
    package var work: AnyObject?

    /// Runs one statement; the rows are those of SELECT or RETURNING.
    @discardableResult
    package func run(_ sql: SQL) throws -> Rows { try rows(sql) }

    /// Runs statements in order, on PostgreSQL without waiting for each answer.
    /// The first refusal is thrown and ends the transaction.
    package func runMany(_ statements: [SQL]) throws {
        guard !statements.isEmpty else { return }
        try perform(statements.count) { try session.executeMany(statements) }
    }

    /// Runs a part that may fail alone: when `body` throws, what it did is undone
    /// (also its notifications and actions), its error is thrown, and the
    /// transaction can be used further.
    @discardableResult
    package func savepoint<Value>(_ body: () throws -> Value) throws -> Value {
        try perform(0) { try session.savepoint(depth + 1) }
        depth += 1
        defer { depth -= 1 }
        let (actionCount, notificationCount, keptCount) = (actions.count, notifications.count, kept.count)
        do {
            let value = try body()
            if let failure { throw failure }
            try perform(0) { try session.release(depth) }
            return value
        } catch {
            actions.removeSubrange(actionCount...)
            notifications.removeSubrange(notificationCount...)
            kept.removeSubrange(min(keptCount, kept.count)...)
            // A lost connection or a lost transaction has no savepoint to go back to.
            if (try? session.rollback(to: depth)) != nil { failure = nil }
            throw error
        }
    }

    /// Holds a value for a later part of the same transaction, which asks for it
    /// with ``takeKept()``; forgotten when the savepoint it came from is undone.
    package func keep(_ value: any Sendable) { kept.append(value) }

    /// What was kept since the last call, in order.
    package func takeKept() -> [any Sendable] {
        defer { kept = [] }
        return kept
    }

    /// Lets ``Database/write(_:)`` return before this transaction is on disk: a
    /// loss of power in the next moment may undo it, whole, as if it had never
    /// run. It is atomic, and seen by everyone, as ever; what is committed later
    /// and waits for the disk is never kept without it.
    ///
    /// Only for work that is done again when it is undone, and that nobody outside
    /// was told of. PostgreSQL commits without a wait (`synchronous_commit`); SQLite
    /// does nothing here, because its writes share their commits. Undone with the
    /// savepoint it is called in. Counts as no statement.
    package func deferDurability() throws { try perform(0) { try session.deferDurability() } }

    /// From here on a wait for another transaction's lock that takes longer throws
    /// ``StorageError/busy(_:)``, which runs the closure again as ever. For
    /// transactions that hold much and must not hold up others. SQLite has no such
    /// locks. Counts as no statement.
    package func limitLockWait(to limit: Duration) throws {
        try perform(0) { try session.limitLockWait(to: limit) }
    }

    /// The last refusal, undone by a savepoint or not, that came of what other
    /// transactions were doing; another attempt may not meet it.
    package var contention: StorageError? { passingFailure }

    /// Runs `action` once the transaction is durable, before the caller goes on,
    /// in the order of these calls. Never after a failure or a rehearsal. It runs
    /// on the database's thread, so it must be short and must not wait.
    package func afterCommit(_ action: @escaping @Sendable () -> Void) { actions.append(action) }

    /// Sends `payload` to every ``Database/listen(_:)`` of that channel once the
    /// transaction is durable: in all processes on PostgreSQL, in this one on
    /// SQLite.
    ///
    /// Throws ``StorageError/invalidValue(_:)`` for a payload of 8000 bytes or
    /// more, or with U+0000, which PostgreSQL refuses.
    package func notify(_ channel: String, _ payload: String) throws {
        try perform(0) {
            guard !channel.isEmpty, channel.utf8.count < Notification.channelLimit else {
                throw StorageError.invalidValue(
                    "a channel's name has 1 to \(Notification.channelLimit - 1) bytes")
            }
            guard payload.utf8.count < Notification.payloadLimit else {
                throw StorageError.invalidValue(
                    "a notification has fewer than \(Notification.payloadLimit) bytes; send an id instead")
            }
            guard !payload.utf8.contains(0), !channel.utf8.contains(0) else {
                throw StorageError.invalidValue("a notification with U+0000 cannot be sent")
            }
            notifications.append(Notification(channel: channel, payload: payload))
        }
    }
}

/// A message that leaves with the commit.
struct Notification: Sendable, Hashable {
    /// PostgreSQL's limits: NAMEDATALEN and NOTIFY_PAYLOAD_MAX_LENGTH.
    static let channelLimit = 64
    static let payloadLimit = 8000

    let channel: String
    let payload: String
}
