import GRDB
import Glibc

/// Opens the connections of a SQLite file.
enum SQLiteConnection {
    /// 16 MB of pages for each connection.
    private static let cacheKilobytes = 16_000
    private static let mappedBytes = 256 << 20
    /// What the log is cut back to after a burst of writes.
    private static let logBytes = 64 << 20

    /// The one connection that writes. Creates the file, readable by its owner
    /// only, and turns on write-ahead logging.
    ///
    /// `synchronous` is FULL: a webhook that was acknowledged must survive a
    /// power cut, and with NORMAL the last commits of a write-ahead log may not.
    /// It costs one fsync for each commit, which group commit shares between
    /// writers. GRDB sets NORMAL when it turns on the log, so it is set after
    /// that and read back.
    static func openWriter(_ path: String, _ settings: DatabaseSettings) throws -> DatabaseQueue {
        try create(path)
        var configuration = configuration(settings)
        configuration.journalMode = .wal
        return try SQLiteError.mapped {
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.inDatabase { database in
                try database.execute(
                    sql: "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = \(logBytes)")
                guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
                    throw StorageError.other(
                        code: "synchronous", message: "SQLite did not accept synchronous = FULL")
                }
            }
            return queue
        }
    }

    /// A connection that cannot write, to a file that the writer has opened.
    static func openReader(_ path: String, _ settings: DatabaseSettings) throws -> DatabaseQueue {
        var configuration = configuration(settings)
        configuration.readonly = true
        return try SQLiteError.mapped { try DatabaseQueue(path: path, configuration: configuration) }
    }

    private static func configuration(_ settings: DatabaseSettings) -> Configuration {
        var configuration = Configuration()
        configuration.foreignKeysEnabled = true
        configuration.busyMode = .timeout(Double(settings.busyTimeout.microseconds) / 1_000_000)
        configuration.prepareDatabase { database in
            // Without recursive triggers INSERT OR REPLACE deletes rows of an
            // append-only table and no trigger is asked.
            try database.execute(
                sql: """
                    PRAGMA recursive_triggers = ON;
                    PRAGMA temp_store = MEMORY;
                    PRAGMA cache_size = -\(cacheKilobytes);
                    PRAGMA mmap_size = \(mappedBytes);
                    """)
        }
        return configuration
    }

    /// Makes an empty file so that SQLite never creates one that others can
    /// read. Its log and index take over the permissions.
    private static func create(_ path: String) throws {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR)
        guard descriptor >= 0 else {
            throw StorageError.connection("cannot open \(path): \(String(cString: strerror(errno)))")
        }
        Glibc.close(descriptor)
    }
}
