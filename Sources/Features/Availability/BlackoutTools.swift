import JSON
import Kernel
import Storage

/// The caller's blackout dates from today on.
struct ListBlackouts: Query {
    static let name = "availability_blackouts_list"
    static let summary = "Your blackout dates from today on, in order."
    static let audience = Audience.holders(.manageAvailability)
    static let route = Route.get("instructors/availability/blackout-dates")

    struct Output: Codable, Sendable { var blackoutDates: [BlackoutDate] }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, now) = (try context.userID(), context.now)
        return try await db.read { db in
            let today = try AvailabilityCalendar.zone(of: user, db).day(now)
            return Output(blackoutDates: try BlackoutDate.list(user, from: today, db))
        }
    }
}

/// Takes a day out, whatever its windows say.
struct AddBlackout: Command {
    static let name = "availability_blackout_add"
    static let summary = "Take a day out; bookings that exist stay."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageAvailability)
    static let action = "availability.blackout_add"
    static let route = Route.post("instructors/availability/blackout-dates")
    static let creates = true

    @Input("The day, YYYY-MM-DD; not in the past and at most two years ahead.") var date: CalendarDay
    @Input("Why, for yourself.", .length(0...255)) var reason: String?

    static let daysAhead = 730

    typealias Output = BlackoutDate

    func run(_ tx: Transaction, _ context: Context) throws -> BlackoutDate {
        let user = try context.userID()
        let calendar = try AvailabilityCalendar.lock(user, tx, context)
        guard date >= calendar.today, date <= calendar.today.adding(days: Self.daysAhead) else {
            throw Failure.invalid([
                .init(
                    "date", "must be from \(calendar.today) to \(calendar.today.adding(days: Self.daysAhead))"
                )
            ])
        }
        let blackout = BlackoutDate(
            id: context.newID(), date: date, reason: reason.nonEmpty, createdAt: context.now)
        try blackout.insert(for: user, tx)
        try tx.audit(
            "availability.blackout_add", Subject("availability", user.description),
            changes: changes(from: ["blackout": .null], to: ["blackout": .string(date.description)]))
        return blackout
    }
}

/// Gives a blacked-out day back.
struct RemoveBlackout: Command {
    static let name = "availability_blackout_remove"
    static let summary = "Give a blacked-out day back."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageAvailability)
    static let action = "availability.blackout_remove"
    static let route = Route.delete("instructors/availability/blackout-dates/:id")

    @Input("The blackout date's id.") var id: ULID

    typealias Output = BlackoutDate

    func run(_ tx: Transaction, _ context: Context) throws -> BlackoutDate {
        let user = try context.userID()
        _ = try AvailabilityCalendar.lock(user, tx, context)
        let removed = try BlackoutDate.delete(id, of: user, tx)
        try tx.audit(
            "availability.blackout_remove", Subject("availability", user.description),
            changes: changes(from: ["blackout": .string(removed.date.description)], to: ["blackout": .null]))
        return removed
    }
}
