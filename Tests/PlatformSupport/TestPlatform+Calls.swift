package import JSON
package import Kernel
import Storage

// Calling operations and driving what runs in the background.
extension TestPlatform {
    /// Calls an operation as a surface does and parses its answer.
    package func call(_ name: String, _ arguments: JSONObject = [:], as actor: Actor? = nil) async throws
        -> JSONValue
    {
        let answer = try await runner.call(name, arguments, context(actor))
        return try JSONValue(parsing: answer.bytes)
    }

    /// The failure that a call ends in; nil when it succeeds.
    package func failure(
        _ name: String, _ arguments: JSONObject = [:], as actor: Actor? = nil
    ) async throws -> Failure? {
        do {
            _ = try await call(name, arguments, as: actor)
            return nil
        } catch let failure as Failure {
            return failure
        }
    }

    /// Calls a command twice, the second time with the token of the preview.
    package func callConfirmed(
        _ name: String, _ arguments: JSONObject = [:], as actor: Actor? = nil
    ) async throws -> JSONValue {
        let preview = try await call(name, arguments, as: actor)
        guard let token = preview["confirmation"]?["confirm_token"]?.stringValue else { return preview }
        return try await call(name, arguments.merging(["confirm_token": .string(token)]), as: actor)
    }

    /// Claims and runs jobs until nothing is due at the present time.
    @discardableResult
    package func drainJobs() async throws -> Int { try await worker.drain() }

    /// Runs jobs, moving the clock on to the next one that is due, until none
    /// is waiting.
    package func finishJobs() async throws {
        while true {
            try await drainJobs()
            let due = try await database.read { db in
                try db.value(
                    "SELECT MIN(run_at) FROM jobs WHERE state IN ('available', 'scheduled')",
                    as: Instant?.self)
            }
            guard let next = due ?? nil else { return }
            clock.set(max(next, now))
        }
    }

    /// Writes the waiting entries, seals and counts them.
    package func seal() async throws {
        await recorder.flush()
        try await sealer.sealAll()
    }
}
