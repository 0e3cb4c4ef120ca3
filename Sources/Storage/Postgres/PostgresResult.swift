import CPostgres

/// A result of libpq, cleared with its last holder.
final class PostgresResult {
    let pointer: OpaquePointer

    init(_ pointer: OpaquePointer) { self.pointer = pointer }

    deinit { PQclear(pointer) }

    /// How many rows it has.
    var count: Int32 { PQntuples(pointer) }
}
