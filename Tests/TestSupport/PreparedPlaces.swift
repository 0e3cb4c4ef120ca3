import Storage

/// Databases on which migrations have run, one for each set of them, to be copied.
actor PreparedPlaces {
    static let shared = PreparedPlaces()

    private struct Key: Hashable {
        var dialect: Dialect
        var name: String
    }

    private var places: [Key: Task<TestPlace?, any Error>] = [:]

    /// The place; made by the first who asks, while the others wait. Nobody is connected to it.
    ///
    /// - Returns: nil on a server whose databases cannot be copied.
    func place(
        _ dialect: Dialect, _ name: String, _ prepare: @escaping @Sendable (any Database) async throws -> Void
    ) async throws -> TestPlace? {
        let key = Key(dialect: dialect, name: name)
        if let known = places[key] { return try await known.value }
        let task = Task { () -> TestPlace? in
            guard let place = try await TestPlace.empty(dialect) else { return nil }
            let database = try await place.open(removes: false)
            try await prepare(database)
            await database.close()
            return place
        }
        places[key] = task
        return try await task.value
    }
}
