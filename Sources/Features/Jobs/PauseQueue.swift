import JSON
import Kernel
import Storage

/// The names of our queues, as an argument.
enum QueueName: String, Codable, InputEnum {
    case celery, payments, notifications, email, analytics, privacy, maintenance, webhooks
}

/// Stops a queue's jobs from being given out.
struct PauseQueue: Command {
    static let name = "queue_pause"
    static let title = "Pause a queue"
    static let summary = "Stop giving out the jobs of a queue; what runs goes on, what waits is kept."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let route = Route.post("queues/:queue/pause")

    @Input("The queue.") var queue: QueueName
    @Input("Why; kept in the audit log and shown by celery_queue_depth.", .length(3...500)) var reason: String
    @Input("Show what would happen and change nothing.") var dryRun = false

    var subject: Subject? { Subject("queue", queue.rawValue) }
    var isDryRun: Bool { dryRun }

    struct Output: Codable, Sendable {
        var queue: QueueName
        var isPaused: Bool
        /// False when it was so before.
        var isChanged: Bool
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let isChanged = try JobQueue.pause(queue.rawValue, reason, tx, context)
        if isChanged {
            try tx.audit(
                "queue.pause", Subject("queue", queue.rawValue),
                changes: ["paused": ["old": false, "new": true]], description: reason)
        }
        return Output(queue: queue, isPaused: true, isChanged: isChanged)
    }
}

/// Gives out a queue's jobs again.
struct ResumeQueue: Command {
    static let name = "queue_resume"
    static let title = "Resume a queue"
    static let summary = "Give out the jobs of a paused queue again."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let route = Route.post("queues/:queue/resume")

    @Input("The queue.") var queue: QueueName
    @Input("Why; kept in the audit log.", .length(3...500)) var reason: String?
    @Input("Show what would happen and change nothing.") var dryRun = false

    var subject: Subject? { Subject("queue", queue.rawValue) }
    var isDryRun: Bool { dryRun }

    typealias Output = PauseQueue.Output

    func run(_ tx: Transaction, _ context: Context) throws -> PauseQueue.Output {
        let isChanged = try JobQueue.resume(queue.rawValue, tx)
        if isChanged {
            try tx.audit(
                "queue.resume", Subject("queue", queue.rawValue),
                changes: ["paused": ["old": true, "new": false]], description: reason)
        }
        return PauseQueue.Output(queue: queue, isPaused: false, isChanged: isChanged)
    }
}
