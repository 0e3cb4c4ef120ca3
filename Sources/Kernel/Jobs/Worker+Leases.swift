import FoundationEssentials
import JSON
import Logging
import Storage
import Synchronization

// Leases, this worker's own row, and jobs whose worker is gone.
extension Worker {
    func keepLeases() async {
        while !Task.isCancelled {
            try? await Task.sleep(for: lease / 3)
            await renewAndRescue()
        }
    }

    /// One round; also called by tests in place of waiting.
    package func renewAndRescue() async {
        let ids = running.withLock { Array($0.keys) }
        let (id, lease, environment, database) = (id, lease, environment, database)
        let row = row(stopped: false)
        do {
            let (lost, stopped) = try await database.write { tx -> ([JobRecord], [ULID]) in
                let now = environment.now()
                try tx.run(row)
                if !ids.isEmpty { try JobQueue.heartbeat(ids, worker: id, lease: now + lease, tx) }
                let stopped: [ULID] =
                    ids.isEmpty
                    ? []
                    : try tx.values(
                        """
                        SELECT id FROM jobs WHERE id \(in: ids.map(\.description)) AND worker = \(id) \
                        AND cancel_requested_at IS NOT NULL
                        """)
                return (try JobQueue.rescue(environment, tx, now: now), stopped)
            }
            for id in stopped { cancel(id) }
            for record in lost { await discard(record) }
        } catch {
            environment.logger.warning("renewing leases failed", metadata: ["error": "\(error)"])
        }
    }

    /// Stops a job if it runs here.
    func cancel(_ id: ULID) { running.withLock { $0[id]?.stop }?.raise() }

    /// Ends a job whose worker is gone, and that is out of attempts or to be stopped.
    /// One that this program does not know is left to a program that does, which can
    /// tell the job that it is given up. Until then `doctor` and
    /// `celery_active_tasks` show it, and `job_discard` ends it.
    private func discard(_ record: JobRecord) async {
        let context = context(record)
        guard let entry = registry[record.name], record.payloadVersion <= entry.version else {
            return environment.logger.error(
                "a lost job is left to others", metadata: ["id": "\(record.id)", "name": "\(record.name)"])
        }
        guard let (attempt, _) = try? entry.attempt(record, context, database) else {
            return await giveUp(record, "its payload cannot be read", context)
        }
        attempt.note(errorType: "WorkerLost")
        do { try await attempt.settle { _, _ in .retry(error: JobQueue.lostReason) } } catch {
            environment.logger.warning("giving up a job failed", metadata: ["error": "\(error)"])
        }
    }

    /// Says that this worker ended by itself.
    func signOff() async {
        let row = row(stopped: true)
        _ = try? await database.write { tx in try tx.run(row) }
    }

    private func row(stopped: Bool) -> SQL {
        let now = environment.now()
        let names = JSONValue.array(queues.map { .string($0.name) }).text
        let concurrency = queues.reduce(0) { $0 + min($1.concurrency, slots) }
        return """
            INSERT INTO job_workers (id, hostname, pid, queues, concurrency, active, processed, deploy_sha, \
            started_at, heartbeat_at, stopped_at) VALUES (\(id), \(ProcessInfo.processInfo.hostName), \
            \(Int(ProcessInfo.processInfo.processIdentifier)), \(names), \(concurrency), \(activeJobs), \
            \(processed.withLock { $0 }), \(environment.configuration.gitSHA), \(startedAt), \(now), \
            \(stopped ? now : nil))
            ON CONFLICT (id) DO UPDATE SET active = excluded.active, processed = excluded.processed, \
            heartbeat_at = excluded.heartbeat_at, stopped_at = excluded.stopped_at
            """
    }
}
