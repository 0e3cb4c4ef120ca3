package import Kernel

/// Every job that has a handler, and every entry of the schedule with the job it names.
///
/// Apart from the jobs, which declare the same entries with their cadence: a job
/// that is missing from its feature's list, or an entry that nobody expects, stops
/// the process at its start (``Kernel/JobCheck``).
package let timetable = ExpectedJobs(
    jobs: [
        "app.tasks.analytics.calculate_analytics", "app.tasks.analytics.generate_daily_report",
        "app.tasks.search_analytics.calculate_search_metrics",
        "app.tasks.search_analytics.generate_search_insights",
        "maintenance.prune_sign_ins", "maintenance.prune_task_history", "outbox.deliver_event",
        "outbox.dispatch_pending", "privacy.cleanup_search_history",
        "webhooks.process",
    ],
    schedule: [
        "calculate-search-metrics": "app.tasks.search_analytics.calculate_search_metrics",
        "calculate-service-analytics": "app.tasks.analytics.calculate_analytics",
        "cleanup-search-history": "privacy.cleanup_search_history",
        "generate-daily-analytics-report": "app.tasks.analytics.generate_daily_report",
        "generate-search-insights": "app.tasks.search_analytics.generate_search_insights",
        "notifications-dispatch-pending": "outbox.dispatch_pending",
        "prune-sign-ins": "maintenance.prune_sign_ins",
        "prune-task-history": "maintenance.prune_task_history",
    ])
