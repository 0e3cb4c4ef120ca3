import Dispatch
import GRDBSQLite

/// Interrupts a statement that runs for too long, from inside SQLite.
final class StatementClock {
    /// Between two looks at the clock, in steps of SQLite's machine: well under
    /// a millisecond.
    private static let interval: Int32 = 4000

    private let limit: UInt64
    private var deadline: UInt64 = 0
    /// Lifted for a migration.
    var isLifted = false

    init(limit: Duration) { self.limit = UInt64(max(0, limit.microseconds)) * 1000 }

    func install(on connection: OpaquePointer?) {
        guard limit > 0 else { return }
        // Unretained: the session that owns this clock removes the handler.
        sqlite3_progress_handler(
            connection, Self.interval,
            { context in
                guard let context else { return 0 }
                return Unmanaged<StatementClock>.fromOpaque(context).takeUnretainedValue().isOver ? 1 : 0
            }, Unmanaged.passUnretained(self).toOpaque())
    }

    func remove(from connection: OpaquePointer?) { sqlite3_progress_handler(connection, 0, nil, nil) }

    /// Called before each statement. The time is read at the first look, so a
    /// short statement never reads it.
    func start() { deadline = 0 }

    private var isOver: Bool {
        if isLifted { return false }
        let now = DispatchTime.now().uptimeNanoseconds
        if deadline == 0 { deadline = now + limit }
        return now > deadline
    }
}
