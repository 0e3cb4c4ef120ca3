package import Kernel

/// Every job that has a handler, and every entry of the schedule with the job it names.
///
/// Apart from the jobs, which declare the same entries with their cadence: a job
/// that is missing from its feature's list, or an entry that nobody expects, stops
/// the process at its start (``Kernel/JobCheck``).
package let timetable = ExpectedJobs(
    jobs: [
        "app.tasks.email.send_beta_invites_batch",
        "app.tasks.referral_tasks.check_pending_instructor_referral_payouts",
        "app.tasks.referral_tasks.process_instructor_referral_payout",
        "app.tasks.referral_tasks.retry_failed_instructor_referral_payouts",
        "app.tasks.referrals.run_unlocker",
        "maintenance.prune_sign_ins", "maintenance.prune_task_history", "outbox.deliver_event",
        "outbox.dispatch_pending",
        "webhooks.process",
    ],
    schedule: [
        "check-pending-instructor-referral-payouts":
            "app.tasks.referral_tasks.check_pending_instructor_referral_payouts",
        "referrals-unlock-every-15m": "app.tasks.referrals.run_unlocker",
        "retry-failed-instructor-referral-payouts":
            "app.tasks.referral_tasks.retry_failed_instructor_referral_payouts",
        "notifications-dispatch-pending": "outbox.dispatch_pending",
        "prune-sign-ins": "maintenance.prune_sign_ins",
        "prune-task-history": "maintenance.prune_task_history",
    ])
