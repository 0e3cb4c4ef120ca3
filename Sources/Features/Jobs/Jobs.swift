import Kernel

extension Feature {
    static let jobs = Feature(
        name: "jobs",
        summary:
            "Background jobs: workers, queues, failures, history, the schedule, and retrying or stopping them.",
        operations: [
            CeleryWorkerStatus.self, CeleryQueueDepth.self, CeleryFailedTasks.self, CeleryPaymentHealth.self,
            CeleryActiveTasks.self, CeleryTaskHistory.self, CeleryBeatSchedule.self,
            CeleryTaskHistoryPersistent.self, CeleryTaskStats.self, RetryJobs.self, DiscardJobs.self,
            PauseQueue.self, ResumeQueue.self,
        ])
}
