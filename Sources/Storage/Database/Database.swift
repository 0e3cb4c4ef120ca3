/// One database, SQLite or PostgreSQL, behind the same promises.
///
/// Closures are synchronous and run on a thread that owns a connection, so a
/// transaction can never be held across an `await`. A closure may run more than
/// once (see ``write(_:)``), so it must only touch the database and its results.
///
/// Every wait is bounded; see ``DatabaseSettings``.
package protocol Database: AnyObject, Sendable {
    var dialect: Dialect { get }

    /// Runs `body` on one consistent snapshot that includes every write that was
    /// acknowledged before the call. Nothing can be written, whatever the
    /// statement.
    func read<Value: Sendable>(_ body: @escaping @Sendable (Snapshot) throws -> Value) async throws -> Value

    /// Runs `body` in a transaction that is durable when this returns, and undone
    /// when it throws.
    ///
    /// The closure runs again when the database asks for it (40001, 40P01,
    /// SQLITE_BUSY), when it throws ``StorageError/serialization(_:)`` itself on
    /// PostgreSQL, or when the connection was lost before the commit was sent. When
    /// it is lost later the outcome is unknown and
    /// ``StorageError/connection(_:)`` says so.
    func write<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws
        -> Value

    /// As ``write(_:)``, but always undone: no action, no notification.
    func rehearse<Value: Sendable>(_ body: @escaping @Sendable (Transaction) throws -> Value) async throws
        -> Value

    /// The payloads sent to a channel from now on. An empty payload means that
    /// some may have been missed (at the start, after a reconnect, after an
    /// overflow), so the reader should look at the state again. Ends when the
    /// database closes.
    func listen(_ channel: String) -> AsyncStream<String>

    var statistics: DatabaseStatistics { get }

    /// Lets what is queued finish, then closes the connections. Every later call
    /// throws ``StorageError/closed``.
    func close() async
}
