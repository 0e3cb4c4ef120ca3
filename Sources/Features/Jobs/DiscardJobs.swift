import JSON
import Kernel
import Storage

/// Ends jobs: takes away what waits, stops what runs, forgets what failed.
struct DiscardJobs: Command {
    static let name = "job_discard"
    static let title = "Discard jobs"
    static let summary =
        "End jobs for good: waiting ones never run, running ones are asked to stop. Asks to be confirmed."
    static let effect = Effect.destructive
    static let route = Route.post("jobs/discard")
    static let cost = 5

    @Input("Job ids, as task_id of celery_task_history.", .count(1...100)) var jobIDs: [ULID]
    @Input("Why; kept in the audit log and in the history.", .length(3...500)) var reason: String
    @Input("Show what would happen and change nothing.") var dryRun = false

    var subject: Subject? {
        jobIDs.count == 1 ? Subject("job", jobIDs.first?.description) : Subject("job", nil)
    }
    var isDryRun: Bool { dryRun }
    var confirmationQuestion: String {
        "End \(jobIDs.count == 1 ? "this job" : "\(jobIDs.count) jobs") for good?"
    }

    struct Output: Codable, Sendable {
        var jobs: [JobRow]
        var count: Int
        /// Asked to stop; celery_task_history shows when they have.
        var stopping: [ULID]
        var skipped: [RetryJobs.Skipped]
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let jobs = try JobQueue.lock(jobIDs, tx)
        let skipped = JobSelection.skipped(jobIDs, jobs) { _ in nil }
        guard !jobs.isEmpty else { throw JobSelection.nothing("could be ended", skipped.first?.reason) }
        let stopping = try JobQueue.discard(jobs, reason, tx, context)
        for job in jobs {
            try tx.audit(
                "job.discard", Subject("job", job.id.description),
                changes: [
                    "state": [
                        "old": .string(job.state), "new": stopping.contains(job.id) ? "stopping" : "gone",
                    ]
                ], description: reason, metadata: ["name": .string(job.name)])
        }
        return Output(
            jobs: jobs, count: jobs.count, stopping: jobs.map(\.id).filter(stopping.contains),
            skipped: skipped)
    }
}
