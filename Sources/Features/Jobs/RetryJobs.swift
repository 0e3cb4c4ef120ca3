import JSON
import Kernel
import Storage

/// Runs jobs again that were given up.
struct RetryJobs: Command {
    static let name = "job_retry"
    static let title = "Retry jobs"
    static let summary = "Run jobs again that failed for good. More than one asks to be confirmed first."
    static let effect = Effect.reversible
    static let route = Route.post("jobs/retry")
    static let cost = 5

    @Input("Job ids, as task_id of celery_failed_tasks.", .count(1...100)) var jobIDs: [ULID]?
    @Input("Instead of ids: all that failed of this name, e.g. webhooks.process.", .length(1...200))
    var taskName: String?
    @Input("With task_name: how many at most, the latest first.", .range(1...1_000)) var limit = 100
    @Input("Why; kept in the audit log.", .length(3...500)) var reason: String
    @Input("Show what would happen and change nothing.") var dryRun = false

    var subject: Subject? {
        jobIDs?.count == 1 ? Subject("job", jobIDs?.first?.description) : Subject("job", nil)
    }
    var isDryRun: Bool { dryRun }
    var needsConfirmation: Bool { jobIDs?.count != 1 }
    var confirmationQuestion: String {
        if let jobIDs { return "Run \(jobIDs.count) jobs again?" }
        return "Run up to \(limit) failed jobs '\(taskName ?? "")' again?"
    }

    struct Output: Codable, Sendable {
        var jobs: [JobRow]
        var count: Int
        /// Ids that are not jobs which were given up, with why.
        var skipped: [Skipped]
    }

    struct Skipped: Codable, Sendable {
        var id: ULID
        var reason: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let jobs: [JobRow]
        var skipped: [Skipped] = []
        switch (jobIDs, taskName) {
        case (let ids?, nil):
            let found = try JobQueue.lock(ids, tx)
            jobs = found.filter { $0.state == "discarded" }
            skipped = JobSelection.skipped(ids, found) { $0.state == "discarded" ? nil : "it is \($0.state)" }
        case (nil, let name?): jobs = try JobQueue.discarded(name, limit: limit, tx)
        default: throw JobSelection.eitherOr
        }
        guard !jobs.isEmpty else { throw JobSelection.nothing("failed for good", skipped.first?.reason) }
        try JobQueue.retry(jobs, tx, context)
        for job in jobs {
            try tx.audit(
                "job.retry", Subject("job", job.id.description),
                changes: ["state": ["old": .string(job.state), "new": "available"]], description: reason,
                metadata: ["name": .string(job.name)])
        }
        return Output(jobs: jobs, count: jobs.count, skipped: skipped)
    }
}

/// What the commands over several jobs have in common.
enum JobSelection {
    static var eitherOr: Failure {
        Failure.invalid([.init("job_ids", "or task_name is required, and not both")])
    }

    static func nothing(_ what: String, _ why: String?) -> Failure {
        Failure(
            .notFound, "There is no such job that \(what)\(why.map { ": \($0)" } ?? "").",
            hint: "celery_failed_tasks and celery_task_history show task_id.", reason: "job_not_found")
    }

    /// Those ids that were not found, or that `verdict` has a word against.
    static func skipped(_ ids: [ULID], _ found: [JobRow], _ verdict: (JobRow) -> String?) -> [RetryJobs
        .Skipped]
    {
        let byID = Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        return ids.compactMap { id in
            guard let job = byID[id] else {
                return .init(id: id, reason: "there is no such job; it has ended, or never was")
            }
            return verdict(job).map { .init(id: id, reason: $0) }
        }
    }
}
