/// Every entry of the schedule and the job it names.
///
/// Apart from the jobs, which declare the same entries with their cadence: a job
/// that is missing from its feature's list, or an entry that nobody expects, stops
/// the process at its start (``Kernel/JobCheck``).
package let timetable: [String: String] = [
    "notifications-dispatch-pending": "outbox.dispatch_pending",
    "prune-task-history": "maintenance.prune_task_history",
]
