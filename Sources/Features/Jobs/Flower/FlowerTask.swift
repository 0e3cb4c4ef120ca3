import JSON
import Kernel
import Storage

/// A task as `/api/tasks` shows it.
///
/// Times are seconds since 1970 with a fraction; arguments and results are
/// Python's own spelling. Everything in it is text from outside.
struct FlowerTask {
    let id: String
    private let json: JSONValue

    /// The tasks of an answer, which is a map from id to task, in its order.
    ///
    /// - Returns: nil when it is no such map.
    static func all(_ answer: JSONValue) -> [FlowerTask]? {
        guard let members = answer.objectValue else { return nil }
        var tasks: [FlowerTask] = []
        for (id, json) in members {
            guard json.objectValue != nil else { return nil }
            tasks.append(FlowerTask(id: id, json: json))
        }
        return tasks
    }

    /// As Flower compares it, to check what it found.
    var rawName: String? { json["name"]?.stringValue }
    var name: String { rawName.map(TaskText.name) ?? "unknown" }
    var state: String {
        let state = json["state"]?.stringValue.map(TaskText.name) ?? "unknown"
        return state == Self.retry ? final ?? state : state
    }
    var worker: String? { json["worker"]?.stringValue.map(TaskText.name) }
    /// Flower knows no queue; with the exchanges that Celery makes, the key is the queue's name.
    var queue: String? {
        json["routing_key"]?.stringValue.flatMap { $0.isEmpty ? nil : TaskText.name($0) }
    }
    var received: Instant? { moment("received") }
    var started: Instant? { moment("started") }
    var succeeded: Instant? { moment("succeeded") }
    var failed: Instant? { moment("failed") }
    /// When it came into the window of a history: nobody has received what still waits.
    var arrived: Instant? { received ?? moment("sent") ?? moment("timestamp") }
    var retries: Int? { json["retries"]?.intValue }
    var arguments: String? { TaskText.arguments(text("args")) }
    var keywords: String? { TaskText.arguments(text("kwargs")) }

    var failure: FailedTaskReport.Row {
        FailedTaskReport.Row(
            taskID: TaskText.name(id), taskName: name, queue: queue,
            failedAt: failed ?? moment("timestamp"), exception: TaskText.exception(text("exception")),
            traceback: TaskText.traceback(text("traceback")), taskArgs: arguments, taskKwargs: keywords,
            worker: worker, retries: retries)
    }

    var entry: TaskHistoryReport.Row {
        TaskHistoryReport.Row(
            taskID: TaskText.name(id), taskName: name, state: state, receivedAt: received,
            startedAt: started, succeededAt: succeeded, runtimeSeconds: runtime,
            result: TaskText.result(text("result")), exception: TaskText.exception(text("exception")),
            retries: retries ?? 0, failedAt: failed, worker: worker, queue: queue)
    }

    func active(_ now: Instant) -> ActiveTaskReport.Row {
        ActiveTaskReport.Row(
            taskID: TaskText.name(id), taskName: name, worker: worker ?? "unknown", startedAt: started,
            args: arguments, kwargs: keywords, queue: queue,
            runningSeconds: started.map { ($0.secondsUntil(now)) })
    }

    /// What Flower shows for a task that is to be tried again, and at times for one that has ended.
    static let retry = "RETRY"
    static let endings = ["SUCCESS", "FAILURE"]
    private static let overtaking = Duration.seconds(5)

    /// How a task ended that Flower shows as `RETRY`.
    ///
    /// When a task is tried again at once, by another process of its worker, the
    /// end of the last attempt may be told before the retry that led to it, and
    /// Flower believes what it hears last. No attempt follows an end.
    private var final: String? {
        let ends = [(succeeded, Self.endings[0]), (failed, Self.endings[1])]
        return ends.first { end, _ in
            guard let end else { return false }
            return moment("retried").map { $0 - end < Self.overtaking } ?? true
        }?.1
    }

    /// Measured by the worker; else the span between two of its events.
    private var runtime: Double? {
        if let measured = json["runtime"]?.doubleValue { return measured }
        guard let started, let end = succeeded ?? failed else { return nil }
        return started.secondsUntil(end)
    }

    private func moment(_ key: String) -> Instant? { Instant(epoch: json[key]) }

    /// A result may be any JSON if the worker's serializer made it so.
    private func text(_ key: String) -> String? {
        switch json[key] {
        case nil, .null?: nil
        case .string(let text)?: text
        case let other?: other.text
        }
    }
}

extension Instant {
    /// Seconds since 1970, with a fraction; nil for anything else and beyond the year 9999.
    init?(epoch value: JSONValue?) {
        guard let seconds = value?.doubleValue, seconds.isFinite, seconds > 0, seconds < 253_402_300_800
        else {
            return nil
        }
        self.init(microseconds: Int64((seconds * 1_000_000).rounded()))
    }

    /// Never negative: two machines' clocks differ.
    func secondsUntil(_ other: Instant) -> Double {
        Double(max(0, other.microseconds - microseconds) / 1_000) / 1_000
    }
}
