/// The limits of a ``Database``. Every wait has one.
package struct DatabaseSettings: Sendable {
    /// PostgreSQL connections. About twice the cores: more are slower.
    package var poolSize = 8
    /// SQLite connections that read, beside the one that writes.
    package var readers = 4
    /// How long a call may wait for a connection.
    package var maximumWait: Duration = .seconds(5)
    /// How many calls may wait for a connection.
    package var maximumWaiting = 10_000
    /// How long one statement may run; zero for no limit.
    package var statementTimeout: Duration = .seconds(15)
    /// How long a PostgreSQL transaction may sit between two statements.
    package var idleInTransactionTimeout: Duration = .seconds(30)
    /// How long SQLite waits for another process that writes.
    package var busyTimeout: Duration = .seconds(5)
    /// How many SQLite writes may share one commit.
    package var maximumGroup = 128
    /// How often a closure is run at most.
    package var maximumAttempts = 6
    /// What PostgreSQL shows in `pg_stat_activity`.
    package var applicationName = "instainstru"

    package init() {}
}
