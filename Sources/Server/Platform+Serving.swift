import Features
import Foundation
import Glibc
import Kernel
import Logging
import MCP
import NIOCore
package import ServiceLifecycle
package import Storage
import UnixSignals

extension Platform {
    /// How long running work may take to finish after SIGTERM or SIGINT.
    package static let drainLimit = Duration.seconds(20)

    /// Runs the process's services until a signal ends it, then drains.
    ///
    /// - Parameters:
    ///   - more: services beside the platform's own, e.g. the demo's sender.
    ///   - onReady: called with the base URL once the server answers.
    package func serve(
        api: Bool, worker runsJobs: Bool, more: [any Service] = [],
        onReady: @escaping @Sendable (String) -> Void
    ) async throws {
        try await checkKey()
        var services: [any Service] = [recorder, sealer]
        if runsJobs { services += [worker, scheduler] as [any Service] }
        if api {
            services.append(
                HTTPServer.application(self) { [configuration] address in
                    onReady(
                        "http://\(address?.ipAddress ?? configuration.host):\(address?.port ?? configuration.port)"
                    )
                })
        }
        var group = ServiceGroupConfiguration(
            services: (services + more).map { .init(service: $0) },
            gracefulShutdownSignals: [.sigterm, .sigint],
            logger: logger)
        group.maximumGracefulShutdownDuration = Self.drainLimit
        do { try await ServiceGroup(configuration: group).run() } catch let error as IOError
            where error.errnoCode == EADDRINUSE
        {
            throw Failure(
                .conflict, "Port \(configuration.port) of \(configuration.host) is in use.",
                hint: "Choose another with --port; 0 takes a free one.", cause: error)
        }
    }

    /// Refuses to work on a log that another key signed, which it could not extend.
    private func checkKey() async throws {
        guard let latest = try await database.read({ try AuditCheckpoint.latest($0) }) else { return }
        do { _ = try Checkpoint(verifying: latest.note, with: keys.signer.verifier) } catch {
            throw Failure(
                .conflict, "The audit log was sealed with another key than this process has.",
                hint: "Set AUDIT_SIGNING_KEY or AUDIT_LOG_ORIGIN to what the other processes use.")
        }
    }

    /// Writes what waits and closes the database.
    package func close() async {
        await recorder.flush()
        try? await sealer.sealAll()
        await database.close()
    }

    /// Applies all migrations; returns the ids of those that were new.
    package static func migrate(_ database: any Database) async throws -> [String] {
        try await Migrator(allMigrations(allFeatures)).migrate(database)
    }

    /// Speaks MCP on standard input and output until the input ends.
    package func speakStdio(as caller: MCPCaller) async throws {
        try await checkKey()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for service in [recorder, sealer] as [any Service] { group.addTask { try await service.run() } }
            let server = MCPServer(host: MCPSurface(self), configuration: MCPEndpoint.configuration(self))
            try await MCPStdio(server: server, caller: caller).run(lines: StandardInput.lines()) { line in
                try FileHandle.standardOutput.write(contentsOf: Data(line))
            }
            group.cancelAll()
        }
    }
}

/// Lines of standard input as they arrive.
enum StandardInput {
    static let maximumLine = 4 << 20

    static func lines() -> AsyncStream<[UInt8]> {
        let (stream, continuation) = AsyncStream<[UInt8]>.makeStream()
        // Reading blocks, so it has a thread of its own and none of the pool's.
        Thread.detachNewThread {
            var buffer: [UInt8] = []
            while true {
                let chunk = FileHandle.standardInput.availableData
                guard !chunk.isEmpty else { break }
                buffer += chunk
                while let end = buffer.firstIndex(of: 0x0A) {
                    continuation.yield(Array(buffer[..<end]))
                    buffer.removeSubrange(...end)
                }
                if buffer.count > maximumLine { break }
            }
            if !buffer.isEmpty { continuation.yield(buffer) }
            continuation.finish()
        }
        return stream
    }
}
