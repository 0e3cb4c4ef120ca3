package import Storage
import Synchronization

/// A real database that counts the statements sent to it and, when told to,
/// refuses writes as one that is gone does.
package final class ProbeDatabase: Database {
    private let base: any Database
    private let statements = Mutex(0)
    private let refusesWrites = Mutex(false)
    private let swallowsAnswers = Mutex(false)

    package init(_ base: any Database) { self.base = base }

    package var dialect: Dialect { base.dialect }
    package var statistics: DatabaseStatistics { base.statistics }

    /// Statements since the last call.
    package func takeStatementCount() -> Int {
        statements.withLock { count in
            defer { count = 0 }
            return count
        }
    }

    /// While true, every write fails as if the connection were lost.
    package var isDown: Bool {
        get { refusesWrites.withLock { $0 } }
        set { refusesWrites.withLock { $0 = newValue } }
    }

    /// While true, every write is committed and then fails as if the connection
    /// were lost on the way back.
    package var losesAnswers: Bool {
        get { swallowsAnswers.withLock { $0 } }
        set { swallowsAnswers.withLock { $0 = newValue } }
    }

    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Snapshot) throws -> Value
    ) async throws -> Value {
        try await base.read { [self] in try counted($0, body) }
    }

    package func write<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        if isDown { throw StorageError.connection("the test took the database away") }
        let value = try await base.write { [self] in try counted($0, body) }
        if losesAnswers { throw StorageError.connection("the test lost the answer: the outcome is unknown") }
        return value
    }

    package func rehearse<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await base.rehearse { [self] in try counted($0, body) }
    }

    private func counted<Scope: Snapshot, Value>(_ scope: Scope, _ body: (Scope) throws -> Value) throws
        -> Value
    {
        let before = scope.statementCount
        defer {
            let sent = scope.statementCount - before
            statements.withLock { $0 += sent }
        }
        return try body(scope)
    }

    package func listen(_ channel: String) -> AsyncStream<String> { base.listen(channel) }

    package func close() async { await base.close() }
}
