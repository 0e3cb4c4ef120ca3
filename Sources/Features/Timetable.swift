package import Kernel

/// Every job that has a handler, and every entry of the schedule with the job it names.
///
/// Apart from the jobs, which declare the same entries with their cadence: a job
/// that is missing from its feature's list, or an entry that nobody expects, stops
/// the process at its start (``Kernel/JobCheck``).
package let timetable = ExpectedJobs(
    jobs: [
        "app.tasks.analytics.calculate_analytics",
        "app.tasks.analytics.generate_daily_report",
        "app.tasks.email.send_beta_invites_batch",
        "app.tasks.referral_tasks.check_pending_instructor_referral_payouts",
        "app.tasks.referral_tasks.process_instructor_referral_payout",
        "app.tasks.referral_tasks.retry_failed_instructor_referral_payouts",
        "app.tasks.referrals.run_unlocker",
        "app.tasks.search_analytics.calculate_search_metrics",
        "app.tasks.search_analytics.generate_search_insights",
        "background_check.final_adverse_action",
        "bgc.expiry_sweep",
        "bgc.fetch_report",
        "bgc.invite",
        "checkr_sandbox.deliver",
        "maintenance.prune_sign_ins",
        "maintenance.prune_task_history",
        "outbox.deliver_event",
        "outbox.dispatch_pending",
        "privacy.apply_retention_policies",
        "privacy.cleanup_search_history",
        "privacy.forget_message",
        "privacy.generate_privacy_report",
        "retention.purge_soft_deleted",
        "webhooks.process",
    ],
    schedule: [
        "apply-data-retention-policies": "privacy.apply_retention_policies",
        "bgc-expiry-sweep": "bgc.expiry_sweep",
        "calculate-search-metrics": "app.tasks.search_analytics.calculate_search_metrics",
        "calculate-service-analytics": "app.tasks.analytics.calculate_analytics",
        "check-pending-instructor-referral-payouts":
            "app.tasks.referral_tasks.check_pending_instructor_referral_payouts",
        "cleanup-search-history": "privacy.cleanup_search_history",
        "generate-daily-analytics-report": "app.tasks.analytics.generate_daily_report",
        "generate-privacy-report": "privacy.generate_privacy_report",
        "generate-search-insights": "app.tasks.search_analytics.generate_search_insights",
        "nightly-retention-purge": "retention.purge_soft_deleted",
        "notifications-dispatch-pending": "outbox.dispatch_pending",
        "prune-sign-ins": "maintenance.prune_sign_ins",
        "prune-task-history": "maintenance.prune_task_history",
        "referrals-unlock-every-15m": "app.tasks.referrals.run_unlocker",
        "retry-failed-instructor-referral-payouts":
            "app.tasks.referral_tasks.retry_failed_instructor_referral_payouts",
    ])
