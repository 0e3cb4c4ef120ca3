/// Counters of one ``Database`` since it was opened, and its present load.
package struct DatabaseStatistics: Sendable, Hashable {
    /// Connections that serve calls.
    package var poolSize = 0
    /// Connections that are serving one now.
    package var busy = 0
    /// Calls that wait for a connection.
    package var waiting = 0
    package var reads = 0
    /// Writes that were committed.
    package var writes = 0
    /// Commits on SQLite; fewer than ``writes`` when writes shared one.
    package var groupCommits = 0
    /// Closures that ran again.
    package var retries = 0
    /// Connections that were opened again after a failure.
    package var reconnects = 0
}
