import CPostgres
import Glibc
import Logging
import Synchronization

/// Receives notifications on a connection of its own and hands them to a
/// ``ChannelHub``. Connects when the first channel is asked for, and again,
/// for as long as it takes, when the connection is lost.
final class PostgresListener: Sendable {
    private static let shortestPause: Int32 = 100
    private static let longestPause: Int32 = 5000

    private struct State {
        var isStarted = false
        var isStopped = false
    }
    private let state = Mutex(State())
    private let pipe = WakePipe()
    private let hub: ChannelHub
    private let threads: ThreadGroup
    private let logger: Logger
    private let connect: @Sendable () throws -> OpaquePointer

    init(
        hub: ChannelHub, threads: ThreadGroup, logger: Logger,
        connect: @escaping @Sendable () throws -> OpaquePointer
    ) {
        self.hub = hub
        self.threads = threads
        self.logger = logger
        self.connect = connect
    }

    /// Called when a channel may be new.
    func wake() {
        let starts = state.withLock { state in
            guard !state.isStopped, !state.isStarted else { return false }
            state.isStarted = true
            return true
        }
        guard starts else { return pipe.wake() }
        do {
            try threads.start(named: "pg-listen") { self.run() }
        } catch {
            state.withLock { $0.isStarted = false }
            logger.error("no thread to listen on", metadata: ["error": "\(error)"])
        }
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        pipe.wake()
    }

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func run() {
        var pause = Self.shortestPause
        while !isStopped {
            do {
                let connection = try connect()
                defer { PQfinish(connection) }
                pause = Self.shortestPause
                try serve(connection)
            } catch {
                hub.goDown()
                logger.warning("the listening connection was lost", metadata: ["error": "\(error)"])
                pipe.wait(also: nil, milliseconds: pause)
                pause = min(pause * 2, Self.longestPause)
            }
        }
    }

    /// Returns when the listener is stopped.
    private func serve(_ connection: OpaquePointer) throws {
        var listened: Set<String> = []
        while !isStopped {
            for channel in hub.channels.subtracting(listened) {
                try PostgresConnection.command("LISTEN \(SQL.quoted(identifier: channel))", on: connection)
                listened.insert(channel)
                hub.goLive(channel)
            }
            guard PQconsumeInput(connection) == 1 else { throw PostgresError.connection(connection) }
            while let notification = PQnotifies(connection) {
                defer { PQfreemem(notification) }
                guard let channel = notification.pointee.relname, let payload = notification.pointee.extra
                else { continue }
                hub.publish(String(cString: payload), to: String(cString: channel))
            }
            pipe.wait(also: PQsocket(connection), milliseconds: -1)
        }
    }
}
