import JSON
package import Kernel
import Logging
import Storage

/// A reminder of a lesson, to both who have it: a day and an hour before.
enum BookingReminder: CaseIterable, Sendable {
    case dayBefore, hourBefore

    /// How long before the lesson.
    private var lead: Duration { self == .dayBefore ? .seconds(86_400) : .seconds(3_600) }
    /// Each run looks so far around it; runs are as far apart.
    private static let window = Duration.seconds(900)

    private var event: String { self == .dayBefore ? "booking.reminder_24h" : "booking.reminder_1h" }
    private var title: String { self == .dayBefore ? "Your lesson is tomorrow" : "Your lesson begins soon" }
    private var flag: SQL { self == .dayBefore ? "reminder_24h_sent" : "reminder_1h_sent" }

    /// What a run came to.
    struct Count: Sendable {
        var sent = 0
        var failed = 0
        /// There may be more.
        var isAll = true
    }

    /// Sends those that are due, at most `limit` of each kind. One that cannot be sent
    /// holds up no other, and is due again at the next run.
    static func send(_ limit: Int, _ tx: Transaction, _ context: Context) throws -> Count {
        var count = Count()
        for kind in allCases {
            let bookings = try kind.due(limit, tx, context.now)
            let before = count.sent
            for booking in bookings {
                do {
                    try tx.savepoint { try kind.send(booking, tx, context) }
                    count.sent += 1
                } catch let failure as Failure {
                    context.logger.warning(
                        "a reminder was not sent",
                        metadata: ["booking": "\(booking.id)", "error": "\(failure)"])
                    count.failed += 1
                }
            }
            // Where nothing could be sent, looking again would find the same ones.
            if bookings.count == limit, count.sent > before { count.isAll = false }
        }
        return count
    }

    private func due(_ limit: Int, _ tx: Transaction, _ now: Instant) throws -> [Booking] {
        let (from, to) = (now + lead - Self.window, now + lead + Self.window)
        return try tx.all(
            """
            SELECT \(Booking.columns) FROM bookings b WHERE b.status = 'CONFIRMED'
            AND b.booking_start_utc >= \(from) AND b.booking_start_utc <= \(to) AND NOT b.\(flag)
            ORDER BY b.booking_start_utc, b.id LIMIT \(limit) \(.skipLocked)
            """)
    }

    private func send(_ booking: Booking, _ tx: Transaction, _ context: Context) throws {
        try tx.run("UPDATE bookings SET \(flag) = TRUE WHERE id = \(booking.id)")
        for person in [booking.studentID, booking.instructorID] {
            // Each reads the time on their own clock.
            let zone = try AvailabilityCalendar.zone(of: person, tx)
            let (day, minute) = zone.local(booking.start)
            let time = ClockTime(minute: minute).description.prefix(5)
            try tx.notify(
                user: person, category: .lessonUpdates, type: event, title: title,
                body: "\(booking.serviceName) on \(day) at \(time) (\(zone.name)).",
                key: "\(event)/\(booking.id)/\(person)",
                data: ["booking_id": .string(booking.id.description)])
        }
    }
}

/// Reminds people of their lessons.
package struct SendBookingReminders: ScheduledJob {
    package static let name = "app.tasks.notification_tasks.send_booking_reminders"
    package static let queue = Queue.notifications
    package static let priority = 7
    package static let isDatabaseOnly = true
    /// How many of each kind one transaction takes.
    static let limit = 200

    package static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("send-booking-reminders", cron: "*/15 * * * *")]
    }

    package init() {}

    package func run(_ attempt: JobAttempt) async throws {
        try await attempt.settle { tx, unit in
            let count = try BookingReminder.send(Self.limit, tx, unit.context)
            attempt.summarize("\(count.sent) lessons reminded of, \(count.failed) failed")
            return count.isAll ? .completed : .snooze(.zero)
        }
    }
}

/// The same, now.
struct SendReminders: Command {
    static let name = "bookings_send_reminders"
    static let summary = "Send the reminders that are due now, instead of waiting for the next run."
    static let effect = Effect.additive
    static let isIdempotent = true
    static let audience = Audience.holders(.manageAllBookings)
    static let route = Route.post("bookings/send-reminders")
    static let action = "booking.send_reminders"

    struct Output: Codable, Sendable {
        var remindersSent: Int
        var failedReminders: Int
        /// Whether more are due; call again.
        var hasMore: Bool
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let count = try BookingReminder.send(SendBookingReminders.limit, tx, context)
        return Output(remindersSent: count.sent, failedReminders: count.failed, hasMore: !count.isAll)
    }
}
