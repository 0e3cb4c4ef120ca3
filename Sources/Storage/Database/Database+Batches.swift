extension Database {
    /// Runs a statement that deletes or changes up to `size` rows, each time in a transaction
    /// of its own so that writers are not held up, until it finds no full batch.
    ///
    /// - Returns: how many rows it affected.
    package func runInBatches(of size: Int, _ statement: SQL) async throws -> Int {
        var total = 0
        while true {
            let affected = try await write { tx in try tx.run(statement).affected }
            total += affected
            guard affected == size else { return total }
            try Task.checkCancellation()
        }
    }
}
