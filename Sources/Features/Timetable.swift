package import Kernel

/// Every job that has a handler, and every entry of the schedule with the job it names.
///
/// Apart from the jobs, which declare the same entries with their cadence: a job
/// that is missing from its feature's list, or an entry that nobody expects, stops
/// the process at its start (``Kernel/JobCheck``).
package let timetable = ExpectedJobs(
    jobs: [
        "background_check.final_adverse_action",
        "bgc.expiry_sweep",
        "bgc.fetch_report",
        "bgc.invite",
        "checkr_sandbox.deliver",
        "maintenance.prune_task_history", "outbox.deliver_event", "outbox.dispatch_pending",
        "webhooks.process",
    ],
    schedule: [
        "bgc-expiry-sweep": "bgc.expiry_sweep",
        "notifications-dispatch-pending": "outbox.dispatch_pending",
        "prune-task-history": "maintenance.prune_task_history",
    ])
