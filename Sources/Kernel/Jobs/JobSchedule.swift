package import Storage

/// When a job runs by itself.
package enum Cadence: Sendable, Hashable {
    /// At the whole multiples of this many seconds since 1970.
    case every(seconds: Int)
    case cron(CronExpression)
    /// A text that is not a cron line; the boot check refuses it.
    case never(String)

    /// The last slot at or before `instant`.
    package func latest(at instant: Instant) -> Instant? {
        switch self {
        case .cron(let expression): return expression.latest(at: instant)
        case .never: return nil
        case .every(let seconds):
            guard seconds > 0 else { return nil }
            let length = Int64(seconds) * 1_000_000
            let rest = instant.microseconds % length
            return Instant(microseconds: instant.microseconds - (rest < 0 ? rest + length : rest))
        }
    }

    /// The first slot after `instant`.
    package func next(after instant: Instant) -> Instant? {
        switch self {
        case .cron(let expression): expression.next(after: instant)
        case .never: nil
        case .every(let seconds):
            latest(at: instant).map { Instant(microseconds: $0.microseconds + Int64(seconds) * 1_000_000) }
        }
    }
}

/// An entry of the schedule.
package struct JobSchedule: Sendable {
    /// What is done about slots that passed while nobody was looking.
    package enum CatchUp: Sendable, Hashable {
        /// The last of them runs and the others count as missed: right for a job
        /// that looks for everything there is to do.
        case latest
        /// Each of them runs, up to the last so many; those before count as missed.
        case each(limit: Int)
    }

    /// The entry's name, stable: its history hangs on it.
    package let name: String
    package let cadence: Cadence
    package let catchUp: CatchUp
    /// False when a setting turns the entry off.
    package let isEnabled: Bool

    package init(_ name: String, _ cadence: Cadence, catchUp: CatchUp = .latest, isEnabled: Bool = true) {
        self.name = name
        self.cadence = cadence
        self.catchUp = catchUp
        self.isEnabled = isEnabled
    }

    /// An entry by a cron text that is known to be one; a wrong text makes an
    /// entry that the boot check refuses.
    package init(_ name: String, cron text: String, catchUp: CatchUp = .latest) {
        self.init(
            name, CronExpression(text).map(Cadence.cron) ?? .never(text), catchUp: catchUp)
    }
}

/// A job that runs by the clock, with nothing but what it finds when it runs.
package protocol ScheduledJob: Job {
    /// Usually one.
    static func schedules(_ configuration: Configuration) -> [JobSchedule]
    init()
}
