import Kernel
import Storage

/// Removes what need not be kept of searches (domain specification §9.3): histories 90 days after
/// they were deleted, guests' histories 90 days after the last search, events after 365 days.
struct CleanupSearchHistory: ScheduledJob {
    static let name = "privacy.cleanup_search_history"
    static let queue = Queue.privacy
    static let priority = 2
    static let timeout = Duration.seconds(600)
    static let batch = 1_000
    static let deletedDays = 90
    static let guestDays = 90
    static let eventDays = 365

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("cleanup-search-history", cron: "0 3 * * *")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        let now = attempt.context.environment.now()
        func before(_ days: Int) -> Instant { now - .seconds(days * 86_400) }
        let deleted = try await attempt.database.runInBatches(
            of: Self.batch,
            """
            DELETE FROM search_history WHERE id IN (SELECT id FROM search_history
            WHERE deleted_at < \(before(Self.deletedDays)) ORDER BY deleted_at LIMIT \(Self.batch))
            """)
        let guests = try await attempt.database.runInBatches(
            of: Self.batch,
            """
            DELETE FROM search_history WHERE id IN (SELECT id FROM search_history
            WHERE guest_session_id IS NOT NULL AND last_searched_at < \(before(Self.guestDays))
            ORDER BY last_searched_at LIMIT \(Self.batch))
            """)
        let events = try await attempt.database.runInBatches(
            of: Self.batch,
            """
            DELETE FROM search_events WHERE id IN (SELECT id FROM search_events
            WHERE id < \(ULID.first(at: before(Self.eventDays))) ORDER BY id LIMIT \(Self.batch))
            """)
        attempt.summarize("\(deleted) deleted searches, \(guests) of guests, \(events) events")
        try await attempt.settle { _, _ in .completed }
    }
}
