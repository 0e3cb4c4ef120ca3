import JSON
import Kernel
import Storage

/// A worker as Flower sees it: its heartbeat, and what it said when it was
/// last inspected, which may be long ago.
struct FlowerWorker {
    let hostname: String
    /// Its heartbeats come; a worker that is killed is offline some five seconds later.
    let isOnline: Bool
    /// Whether the inspection just made reached it. Otherwise its figures are old.
    let isFresh: Bool
    /// What it said; nil if it was never inspected.
    let info: JSONValue?

    /// When it said so, by Flower's clock.
    var observedAt: Instant? { Instant(epoch: info?["timestamp"]) }
    var queues: [String] {
        (info?["active_queues"]?.arrayValue ?? []).compactMap { $0["name"]?.stringValue }
    }
    var processed: Int? {
        info?["stats"]?["total"]?.objectValue.map { $0.values.compactMap(\.intValue).reduce(0, +) }
    }
    var concurrency: Int? { info?["stats"]?["pool"]?["max-concurrency"]?.intValue }

    /// What it runs now; nil unless it has just said so.
    func active(_ now: Instant) -> [ActiveTaskReport.Row]? {
        guard isOnline, isFresh else { return nil }
        return info?["active"]?.arrayValue?.map { task in
            let start = Instant(epoch: task["time_start"])
            return ActiveTaskReport.Row(
                taskID: TaskText.name(task["id"]?.stringValue ?? "unknown"),
                taskName: TaskText.name(task["name"]?.stringValue ?? "unknown"),
                worker: TaskText.name(hostname), startedAt: start,
                args: TaskText.arguments(task["args"]?.shownText),
                kwargs: TaskText.arguments(task["kwargs"]?.shownText),
                queue: task["delivery_info"]?["routing_key"]?.stringValue.map(TaskText.name),
                runningSeconds: start.map { $0.secondsUntil(now) })
        }
    }

    func row(_ now: Instant) -> WorkerReport.Worker {
        WorkerReport.Worker(
            hostname: TaskText.name(hostname), status: isOnline ? .online : .offline,
            activeTasks: active(now)?.count, processedTotal: processed, concurrency: concurrency,
            queues: queues.map(TaskText.name), observedAt: observedAt)
    }
}

/// All workers that Flower knows, at one moment.
struct FlowerWorkers {
    var all: [FlowerWorker]
    /// What kept the figures from being fresh.
    var problem: String?

    var online: [FlowerWorker] { all.filter(\.isOnline) }
    /// Online, but it did not answer the inspection.
    var silent: [FlowerWorker] { online.filter { !$0.isFresh } }

    /// - Parameters:
    ///   - alive: the answer with `status=1`: worker to whether its heartbeats come.
    ///   - before: what workers had said earlier.
    ///   - after: what they said when asked anew; nil if that was not done or failed.
    /// - Returns: nil when an answer is not what Flower answers.
    init?(alive: JSONValue, before: JSONValue, after: JSONValue?) {
        guard let heartbeats = alive.objectValue, let old = before.objectValue,
            let new = (after ?? before).objectValue
        else { return nil }
        all = Set(heartbeats.keys + new.keys).sorted().map { name in
            let isFresh =
                after != nil && new[name] != nil && new[name]?["timestamp"] != old[name]?["timestamp"]
            // Without events a worker has no heartbeat, but it answers.
            let isOnline = heartbeats[name].map { $0.boolValue ?? false } ?? isFresh
            return FlowerWorker(hostname: name, isOnline: isOnline, isFresh: isFresh, info: new[name])
        }
    }

    /// What is wrong with the workers themselves; nil when nothing is.
    var trouble: String? {
        let offline = all.filter { !$0.isOnline }
        var sentences = problem.map { [$0] } ?? []
        if all.isEmpty {
            sentences.append(
                "Flower knows of no worker: start one, with -E so that Flower hears of its tasks.")
        } else if !offline.isEmpty {
            sentences.append(
                "Offline: \(Self.names(offline)). Start them again; if they are gone for good, restart Flower"
                    + " to forget them.")
        }
        if problem == nil, !silent.isEmpty {
            sentences.append(
                "Online but silent when inspected: \(Self.names(silent)); their figures are old or missing.")
        }
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }

    static func names(_ workers: [FlowerWorker]) -> String {
        let shown = workers.prefix(5).map { TaskText.name($0.hostname) }.joined(separator: ", ")
        return workers.count > 5 ? "\(shown) and \(workers.count - 5) more" : shown
    }
}

extension JSONValue {
    /// A string as it is, anything else as JSON text.
    var shownText: String { stringValue ?? text }
}
