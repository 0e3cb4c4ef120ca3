import Logging
import Storage
import Synchronization

// Running what was claimed.
extension Worker {
    /// Runs several in one transaction.
    /// - Returns: whether all of them have ended.
    func performTogether(_ records: [JobRecord]) async -> Bool {
        guard let entry = registry[records[0].name], let together = entry.together,
            records.allSatisfy({ $0.payloadVersion <= entry.version })
        else { return false }
        let claimed = records.map { ($0, context($0)) }
        do {
            try await withTimeout(entry.timeout) { [database] in try await together(claimed, database) }
            return true
        } catch {
            environment.logger.info(
                "jobs that were to share a transaction run one by one",
                metadata: ["name": "\(records[0].name)", "count": "\(records.count)", "error": "\(error)"])
            return false
        }
    }

    func context(_ record: JobRecord) -> Context {
        Context(
            actor: .system(record.name), surface: .job, requestID: record.requestID, traceID: record.traceID,
            environment: environment)
    }

    /// Runs one claimed job to an outcome; never throws.
    func perform(_ record: JobRecord) async {
        let context = context(record)
        guard let entry = registry[record.name] else {
            return await leave(record, "no handler is registered for '\(record.name)'", context)
        }
        guard record.payloadVersion <= entry.version else {
            let why = "its payload is of version \(record.payloadVersion), newer than this program's"
            return await leave(record, "\(why) \(entry.version)", context)
        }
        let attempt: JobAttempt
        let work: @Sendable () async throws -> Void
        do { (attempt, work) = try entry.attempt(record, context, database) } catch {
            return await giveUp(record, "the payload cannot be read: \(error)", context)
        }
        do {
            // What only touches the database ends soon by itself.
            let stop = entry.isDatabaseOnly ? nil : running.withLock { $0[record.id]?.stop }
            try await withTimeout(entry.timeout, stop: stop, work)
            if !attempt.isSettled { try await completions.complete(attempt) }
        } catch is LeaseLost {
            context.logger.warning("a job was taken over", metadata: ["id": "\(record.id)"])
        } catch is JobStopped {
            guard !attempt.isSettled else { return }
            await end(attempt, .cancelled(reason: JobAttempt.stopReason))
        } catch is CancellationError where Task.isCancelled {
            guard !attempt.isSettled else { return }
            // The process ends before the job could; that is no failure of the job's.
            attempt.summarize("given back, because its worker ended")
            await end(attempt, .snooze(.zero))
        } catch {
            guard !attempt.isSettled else { return }
            let failure = error as? Failure
            let message = failure?.message ?? "\(error)"
            context.logger.warning("a job failed", metadata: ["id": "\(record.id)", "error": "\(message)"])
            attempt.note(errorType: failure.map { $0.reason ?? $0.code.rawValue } ?? "\(type(of: error))")
            let retries = failure?.isRetryable ?? true
            await end(attempt, retries ? .retry(error: message) : .discard(error: message))
        }
    }

    /// Writes an outcome. When that fails the lease runs out, and others take over.
    private func end(_ attempt: JobAttempt, _ outcome: JobOutcome) async {
        do { try await attempt.settle { _, _ in outcome } } catch {
            attempt.context.logger.error(
                "the outcome of a job could not be written",
                metadata: ["id": "\(attempt.record.id)", "error": "\(error)"])
        }
    }

    /// Leaves a job to processes that can run it: another version of the program
    /// may know it.
    private func leave(_ record: JobRecord, _ reason: String, _ context: Context) async {
        context.logger.error(
            "a job is left to others", metadata: ["id": "\(record.id)", "error": "\(reason)"])
        let until = environment.now() + Self.patience
        _ = try? await database.write { tx in try JobQueue.putBack(record, reason, until: until, tx) }
    }

    func giveUp(_ record: JobRecord, _ reason: String, _ context: Context) async {
        context.logger.error("a job is discarded", metadata: ["id": "\(record.id)", "error": "\(reason)"])
        let environment = environment
        let reason = TaskExecution.recordable(error: reason)
        _ = try? await database.write { tx in
            _ = try JobQueue.settle(
                record, .discard(error: reason), RetryPolicy(), tx, now: environment.now())
            try TaskExecution.write(
                [TaskExecution(record, .discarded, error: reason, errorType: "Unreadable", environment)], tx)
        }
    }
}

/// Somebody asked for the job to be stopped.
struct JobStopped: Error {}

/// Runs `work` and cancels it when it takes longer than `limit`, or when `stop`
/// is raised.
func withTimeout(
    _ limit: Duration, stop: Signal? = nil, _ work: @escaping @Sendable () async throws -> Void
) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        group.addTask(operation: work)
        group.addTask {
            try await Task.sleep(for: limit)
            throw Failure(.unavailable, "The job took longer than \(limit).", reason: "job_timeout")
        }
        if let stop {
            group.addTask {
                await stop.wait()
                try Task.checkCancellation()
                throw JobStopped()
            }
        }
        defer { group.cancelAll() }
        try await group.next()
    }
}
