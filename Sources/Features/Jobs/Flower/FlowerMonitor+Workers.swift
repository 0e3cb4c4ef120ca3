import JSON
import Kernel
import Storage

/// Workers and queues.
extension FlowerMonitor {
    @Sendable func workers(_ now: Instant) async throws -> WorkerReport {
        do {
            let workers = try await inspected()
            return .observed(
                workers.all.map { $0.row(now) }, source: .flower, problem: workers.trouble, now: now)
        } catch let problem as FlowerProblem {
            return .unknown(problem.text, source: .flower, now: now)
        }
    }

    /// How old may be what Flower remembers of who consumes which queue.
    private static let consumersKeptFor = Duration.seconds(300)

    @Sendable func queues(_ now: Instant) async throws -> QueueReport {
        do {
            async let heartbeats = client.json("/api/workers", [("status", "1")])
            async let cached = client.json("/api/workers")
            async let measured = client.json("/api/queues/length")
            var (alive, before, lengths) = try await (heartbeats, cached, measured)
            var workers = FlowerWorkers(alive: alive, before: before, after: nil)
            let isDeaf = alive.objectValue?.isEmpty == true
            if let known = workers, isDeaf || known.online.contains(where: { isOutdated($0, now) }) {
                // The lengths are of the queues of the workers it remembers, so it has to learn first.
                workers = try await inspected()
                lengths = try await client.json("/api/queues/length")
            }
            guard let workers else { throw client.unexpected("its workers") }
            return try report(lengths, workers, now)
        } catch let problem as FlowerProblem {
            return .unknown(problem.text, source: .flower, now: now)
        }
    }

    private func isOutdated(_ worker: FlowerWorker, _ now: Instant) -> Bool {
        guard worker.info?["active_queues"] != nil, let time = worker.observedAt else { return true }
        return now - time > Self.consumersKeptFor
    }

    private func report(
        _ lengths: JSONValue, _ workers: FlowerWorkers, _ now: Instant
    ) throws -> QueueReport {
        // Flower always names a queue; over RabbitMQ it swallows an error and names none.
        guard let list = lengths["active_queues"]?.arrayValue, !list.isEmpty else {
            throw client.unexpected("queues; if its broker is RabbitMQ, it needs --broker_api")
        }
        let queues = try list.map { queue in
            guard let name = queue["name"]?.stringValue else { throw client.unexpected("queue names") }
            return QueueReport.Queue(
                name: TaskText.name(name), depth: queue["messages"]?.intValue,
                consumers: workers.online.count { $0.queues.contains(name) })
        }
        return .observed(queues, source: .flower, problem: trouble(queues, workers), now: now)
    }

    private func trouble(_ queues: [QueueReport.Queue], _ workers: FlowerWorkers) -> String? {
        var sentences: [String] = []
        let left = queues.filter { $0.consumers == 0 && $0.depth != 0 }.map(\.name)
        if !left.isEmpty {
            sentences.append(
                "No worker online takes from \(left.joined(separator: ", ")): start one with -Q.")
        }
        if workers.online.isEmpty {
            sentences.append(
                "No worker is online, and Flower counts only queues of workers that it has seen:"
                    + " there may be others."
            )
        }
        if let problem = workers.problem { sentences.append(problem) }
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }
}
