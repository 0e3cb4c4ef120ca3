import FoundationEssentials
import Storage

/// SQLite files on which migrations have run, one for each set of them.
actor PreparedFiles {
    static let shared = PreparedFiles()

    private var files: [String: Task<String, any Error>] = [:]

    /// The file's path; made by the first who asks, while the others wait.
    func file(
        _ key: String, _ prepare: @escaping @Sendable (any Database) async throws -> Void
    ) async throws -> String {
        if let known = files[key] { return try await known.value }
        let task = Task {
            let place = try await TestDatabase.place(.sqlite)
            guard case .sqlite(let path) = place.url else {
                throw StorageError.connection("a place for SQLite is none")
            }
            let database = try await place.open(removes: false)
            try await prepare(database)
            await database.close()
            return path
        }
        files[key] = task
        return try await task.value
    }
}
