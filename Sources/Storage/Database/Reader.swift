/// A ``Database`` that cannot write: what a query is given.
package struct Reader: Sendable {
    private let database: any Database

    package init(_ database: any Database) { self.database = database }

    package var dialect: Dialect { database.dialect }

    /// The database itself, for an adapter that plays another system over tables of its
    /// own: what it writes there is as little part of a look as a call to the outside is.
    /// TidyTests names who may use it.
    package var behind: any Database { database }

    /// See ``Database/read(_:)``.
    package func read<Value: Sendable>(
        _ body: @escaping @Sendable (Snapshot) throws -> Value
    ) async throws -> Value {
        try await database.read(body)
    }
}
