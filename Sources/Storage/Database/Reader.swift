/// A ``Database`` that cannot write: what a query is given.
package struct Reader: Sendable {
    private let database: any Database

    package init(_ database: any Database) { self.database = database }

    package var dialect: Dialect { database.dialect }

    /// See ``Database/read(_:)``.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Snapshot) throws -> Value
    ) async throws -> Value {
        try await database.read(body)
    }
}
