import JSON
import Kernel
import Storage

/// One day with its windows.
struct DayView: Codable, Sendable {
    var date: CalendarDay
    var windows: [DayWindow]
}

/// The caller's windows of a range of days.
struct ListAvailability: Query {
    static let name = "availability_list"
    static let summary = "Your windows of a range of days."
    static let audience = Audience.holders(.manageAvailability)
    static let route = Route.get("instructors/availability")

    @Input("The first day; today when left out.") var startDate: CalendarDay?
    @Input("The last day, at most 90 days after the first; 30 when left out.") var endDate: CalendarDay?

    struct Output: Codable, Sendable {
        var timezone: String
        var days: [DayView]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, now, start, end) = (try context.userID(), context.now, startDate, endDate)
        return try await db.read { db in
            let zone = try AvailabilityCalendar.zone(of: user, db)
            let (first, last) = try PublicCalendar.range(start, end, today: zone.day(now))
            let days = try AvailabilityCalendar.days(user, from: first, through: last, db)
            return Output(
                timezone: zone.name,
                days: days.sorted { $0.key < $1.key }.map { DayView(date: $0.key, windows: $0.value.windows) }
            )
        }
    }
}

/// Adds one window to one day.
struct AddWindow: Command {
    static let name = "availability_window_add"
    static let summary = "Add one window to a day; refused when it overlaps one that is there."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageAvailability)
    static let action = "availability.window_add"
    static let route = Route.post("instructors/availability/specific-date")
    static let creates = true

    @Input("The day, YYYY-MM-DD.") var specificDate: CalendarDay
    @Input("When it begins, HH:MM.") var startTime: ClockTime
    @Input("When it ends, HH:MM.") var endTime: ClockTime

    typealias Output = DayView

    func run(_ tx: Transaction, _ context: Context) throws -> DayView {
        let user = try context.userID()
        let calendar = try AvailabilityCalendar.lock(user, tx, context)
        let change = BulkChange(action: .add, date: specificDate, window: DayWindow(startTime, endTime))
        let old = try calendar.days(from: specificDate, through: specificDate, tx)
        var days = old
        if let problem = change.apply(to: &days, calendar) { throw problem.failure }
        try calendar.store(days, over: old, tx, context)
        return DayView(date: specificDate, windows: days[specificDate]?.windows ?? [])
    }
}

/// One change of one day, as bulk updates and single windows ask for it.
struct BulkChange {
    enum Action: String, InputEnum, Codable, Sendable { case add, remove }

    /// Why a change was not made.
    enum Problem: Error {
        case inverted, past(CalendarDay), overlaps(CalendarDay), missing(CalendarDay)

        var text: String {
            switch self {
            case .inverted: "The window must end after it begins."
            case .past(let day): "\(day) is over."
            case .overlaps(let day): "The window overlaps one that \(day) has."
            case .missing(let day): "\(day) has nothing in that window."
            }
        }

        var failure: Failure {
            switch self {
            case .inverted, .past: Failure.invalid([.init("start_time", text)])
            case .overlaps: Failure(.conflict, text, reason: "overlapping_window")
            case .missing: Failure(.notFound, text)
            }
        }
    }

    var action: Action
    var date: CalendarDay
    var window: DayWindow

    func apply(to days: inout [CalendarDay: DayBits], _ calendar: AvailabilityCalendar) -> Problem? {
        guard !window.isInverted else { return .inverted }
        guard calendar.policy.allows(date, today: calendar.today) else { return .past(date) }
        var bits = days[date] ?? DayBits()
        switch action {
        case .add where bits.touches(window): return .overlaps(date)
        case .remove where !bits.touches(window): return .missing(date)
        case .add: bits.set(window, to: true)
        case .remove: bits.set(window, to: false)
        }
        days[date] = bits
        return nil
    }
}
