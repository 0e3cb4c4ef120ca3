import Synchronization

/// The counters behind ``DatabaseStatistics``, shared by the workers.
final class Counters: Sendable {
    private let statistics: Mutex<DatabaseStatistics>

    init(poolSize: Int) {
        var statistics = DatabaseStatistics()
        statistics.poolSize = poolSize
        self.statistics = Mutex(statistics)
    }

    func update(_ change: (inout DatabaseStatistics) -> Void) { statistics.withLock { change(&$0) } }

    var current: DatabaseStatistics { statistics.withLock { $0 } }
}
