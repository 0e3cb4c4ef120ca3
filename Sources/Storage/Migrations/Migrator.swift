/// Brings a database to the schema of the program.
///
/// Each migration runs in one transaction together with the row that says so,
/// under a lock, so any number of processes may start at once. Nothing is
/// applied while the database and the program do not fit.
package struct Migrator: Sendable {
    /// Names our lock among PostgreSQL's advisory locks.
    private static let lock: Int64 = 0x6d69_6772_6174_6f72

    private let migrations: [Migration]

    /// `migrations` in the order of their ids.
    package init(_ migrations: [Migration]) { self.migrations = migrations }

    /// Applies what is pending and answers with its ids.
    ///
    /// Throws ``StorageError/migration(_:)`` that names the migration and the
    /// remedy when one was edited, is unknown, or comes too late in the order.
    @discardableResult
    package func migrate(_ database: any Database) async throws -> [String] {
        try checkOrder()
        var applied: [String] = []
        while let id = try await database.write({ try applyNext($0) }) { applied.append(id) }
        return applied
    }

    /// Every migration of the program and of the database, by id. Changes nothing.
    package func status(_ database: any Database) async throws -> [MigrationStatus] {
        try checkOrder()
        return try await database.read { snapshot in
            let exists: SQL =
                switch snapshot.dialect {
                case .sqlite: "SELECT 1 FROM sqlite_master WHERE name = 'schema_migrations'"
                case .postgres: "SELECT 1 FROM pg_class WHERE oid = to_regclass('schema_migrations')"
                }
            return try compare(
                try snapshot.rows(exists).isEmpty ? [] : Applied.all(snapshot), snapshot.dialect)
        }
    }

    private func applyNext(_ transaction: Transaction) throws -> String? {
        let dialect = transaction.dialect
        // The lock may be held by a process that builds an index for minutes.
        try transaction.liftTimeLimit()
        if dialect == .postgres { try transaction.run("SELECT pg_advisory_xact_lock(\(Self.lock))") }
        try transaction.run(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                id \(.id) PRIMARY KEY, checksum \(.text) NOT NULL, applied_at \(.instant) NOT NULL
            ) \(.strict)
            """)
        let statuses = try compare(try Applied.all(transaction), dialect)
        if let problem = statuses.lazy.compactMap(\.problem).first { throw StorageError.migration(problem) }
        guard let next = statuses.first(where: { $0.state == .pending }),
            let migration = migrations.first(where: { $0.id == next.id })
        else { return nil }
        do {
            for statement in migration.statements(dialect) { try transaction.run(statement) }
        } catch let error as StorageError where !error.isWorthRepeating {
            throw StorageError.migration("Migration \(migration.id) failed and was undone: \(error)")
        }
        let checksum = migration.checksum(dialect)
        try transaction.run(
            """
            INSERT INTO schema_migrations (id, checksum, applied_at)
            VALUES (\(next.id), \(checksum), \(Instant.now()))
            """
        )
        return next.id
    }

    private func compare(_ applied: [Applied], _ dialect: Dialect) throws -> [MigrationStatus] {
        let known = Set(migrations.map(\.id))
        let byID = Dictionary(applied.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        let last = applied.map(\.id).filter(known.contains).max()
        var statuses = migrations.map { migration in
            let state: MigrationStatus.State =
                if let row = byID[migration.id] {
                    row.checksum == migration.checksum(dialect) ? .applied(row.appliedAt) : .edited
                } else if let last, migration.id < last {
                    .outOfOrder
                } else {
                    .pending
                }
            return MigrationStatus(id: migration.id, state: state)
        }
        statuses += applied.filter { !known.contains($0.id) }.map {
            MigrationStatus(id: $0.id, state: .unknown)
        }
        return statuses.sorted { $0.id < $1.id }
    }

    private func checkOrder() throws {
        for (earlier, later) in zip(migrations, migrations.dropFirst()) where earlier.id >= later.id {
            throw StorageError.migration(
                "Migration \(later.id) is listed after \(earlier.id). Give each its own number, in order.")
        }
    }

    /// A row of the table that this type keeps.
    private struct Applied: RowDecodable {
        let id: String
        let checksum: String
        let appliedAt: Instant

        init(row: Row) throws {
            id = try row["id"]
            checksum = try row["checksum"]
            appliedAt = try row["applied_at"]
        }

        static func all(_ snapshot: Snapshot) throws -> [Applied] {
            try snapshot.all("SELECT id, checksum, applied_at FROM schema_migrations ORDER BY id")
        }
    }
}
