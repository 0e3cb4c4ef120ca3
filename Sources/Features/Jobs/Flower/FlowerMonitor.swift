import JSON
package import Kernel
import Storage

/// Answers the questions of ``TaskMonitor`` from a Celery cluster, through
/// Flower 2's REST API.
///
/// What Flower is, and what follows: it keeps what it hears from workers in
/// memory, so a restart forgets (`observedSince` says when it began); it hears
/// only of tasks whose worker sends events (`-E`); its list of workers is a
/// cache, so life is judged by heartbeats and figures by an inspection made
/// for the answer; it lists a queue only while it knows a worker that consumes it.
package struct FlowerMonitor: Sendable {
    let client: FlowerClient

    package init(_ client: FlowerClient) { self.client = client }

    /// An inspection waits a second or two for workers that do not answer.
    private static let inspectionPatience = Duration.seconds(8)

    /// The workers, inspected now. Two calls side by side, and the inspection
    /// only if there is a worker to answer it.
    func inspected() async throws -> FlowerWorkers {
        async let heartbeats = client.json("/api/workers", [("status", "1")])
        async let cached = client.json("/api/workers")
        let (alive, before) = try await (heartbeats, cached)
        guard let known = FlowerWorkers(alive: alive, before: before, after: nil) else {
            throw client.unexpected("its workers")
        }
        // A worker without events has no heartbeat; only the inspection finds out.
        guard !known.online.isEmpty || alive.objectValue?.isEmpty == true else { return known }
        do {
            let after = try await client.json(
                "/api/workers", [("refresh", "1")], within: Self.inspectionPatience)
            guard let fresh = FlowerWorkers(alive: alive, before: before, after: after) else {
                throw client.unexpected("its workers")
            }
            return fresh
        } catch let problem as FlowerProblem {
            var stale = known
            stale.problem = "The workers could not be inspected, so their figures are old. \(problem.text)"
            return stale
        }
    }

    /// Since when Flower has listened; nil when its metrics do not say.
    ///
    /// `/metrics` needs no login, and is asked for this one number.
    func listeningSince() async throws -> Instant? {
        do {
            let body = try await client.body("/metrics", within: .seconds(3))
            let text = String(decoding: body, as: UTF8.self)
            let key = "process_start_time_seconds "
            let line = text.split(separator: "\n").first { $0.hasPrefix(key) }
            guard let value = line.flatMap({ Double($0.dropFirst(key.count)) }) else { return nil }
            return Instant(epoch: .double(value))
        } catch is FlowerProblem {
            return nil
        }
    }

    /// The tasks that match, newest event first unless `query` sorts them.
    func tasks(_ query: [(String, String)]) async throws -> [FlowerTask] {
        guard let tasks = FlowerTask.all(try await client.json("/api/tasks", query)) else {
            throw client.unexpected("its tasks")
        }
        return tasks
    }
}

extension TaskMonitor {
    /// The cluster whose Flower is configured; nil when none is.
    package static func flower(_ context: Context) -> TaskMonitor? {
        guard let address = context.configuration.celeryFlower else { return nil }
        return flower(
            FlowerClient(
                address, user: context.configuration.celeryFlowerUser,
                password: context.configuration.celeryFlowerPassword, clients: context.clients))
    }

    /// The cluster behind a Flower.
    package static func flower(_ client: FlowerClient) -> TaskMonitor {
        let monitor = FlowerMonitor(client)
        return TaskMonitor(
            source: .flower, workers: monitor.workers, queues: monitor.queues,
            failedTasks: monitor.failedTasks, activeTasks: monitor.activeTasks, history: monitor.history,
            schedule: monitor.schedule, lastRuns: monitor.lastRuns)
    }
}
