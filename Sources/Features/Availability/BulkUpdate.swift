import Kernel
import Storage

/// Many changes of windows; each is made or not on its own.
struct BulkUpdate: Command {
    static let name = "availability_bulk_update"
    static let summary = "Add and remove windows of many days; each change is made or not on its own."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageAvailability)
    static let action = "availability.bulk_update"
    static let route = Route.patch("instructors/availability/bulk-update")

    /// One change.
    struct Change: InputRecord {
        @Input("What to do.") var action: BulkChange.Action
        @Input("The day, YYYY-MM-DD.") var date: CalendarDay
        @Input("When the window begins, HH:MM.") var startTime: ClockTime
        @Input("When it ends, HH:MM.") var endTime: ClockTime
        init() {}
    }

    @Input("The changes, made in order.", .count(1...200)) var operations: [Change]
    @Input("Only say what would happen.") var validateOnly = false

    struct Output: Codable, Sendable {
        struct Result: Codable, Sendable {
            var index: Int
            /// `success`, or `failed` with a reason.
            var status: String
            var reason: String?
        }
        var successful: Int
        var failed: Int
        var changedDays: Int
        var results: [Result]
    }

    var isDryRun: Bool { validateOnly }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let calendar = try AvailabilityCalendar.lock(try context.userID(), tx, context)
        let dates = operations.map(\.date)
        guard let first = dates.min(), let last = dates.max(),
            last < first.adding(days: ApplyToDateRange.longest)
        else {
            throw Failure.invalid([.init("operations", "must lie within a year")])
        }
        let old = try calendar.days(from: first, through: last, tx)
        var days = old
        let results = operations.enumerated().map { index, item in
            let change = BulkChange(
                action: item.action, date: item.date, window: DayWindow(item.startTime, item.endTime))
            let problem = change.apply(to: &days, calendar)
            return Output.Result(
                index: index, status: problem == nil ? "success" : "failed", reason: problem?.text)
        }
        let failed = results.count { $0.reason != nil }
        let changed = try calendar.store(days, over: old, tx, context)
        return Output(
            successful: results.count - failed, failed: failed, changedDays: changed, results: results)
    }
}
