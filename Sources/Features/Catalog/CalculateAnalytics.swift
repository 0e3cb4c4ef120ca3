import Kernel
import Storage

/// Computes `service_analytics` anew from rows (domain specification §1.3).
///
/// Supply is who can be booked now, and the time that students can book of the next
/// seven days (`total_weekly_hours` of the contract, kept in minutes); prices are the
/// hourly rates that are asked; demand is the searches that showed a service and
/// the clicks on it. What only bookings of a service could tell stays null, because
/// bookings do not say yet which service they are of.
struct CalculateAnalytics: ScheduledJob {
    static let name = "app.tasks.analytics.calculate_analytics"
    static let queue = Queue.analytics
    static let priority = 3
    static let timeout = Duration.seconds(300)
    static let isDatabaseOnly = true

    static func schedules(_ configuration: Configuration) -> [JobSchedule] {
        [JobSchedule("calculate-service-analytics", cron: "30 3,15 * * *")]
    }

    init() {}

    func run(_ attempt: JobAttempt) async throws {
        let now = attempt.context.environment.now()
        let supply = try await attempt.database.read { try ServiceSupply.measure($0, now: now) }
        let demand = try await attempt.database.read { try ServiceInterest.measure($0, now: now) }
        attempt.summarize("\(supply.count) services calculated")
        try await attempt.settle { tx, _ in
            let rows: [SQL] = supply.sorted { $0.key < $1.key }.map { id, supply in
                Self.row(id, supply, demand[id] ?? ServiceInterest(), now)
            }
            try tx.run("DELETE FROM service_analytics")
            try tx.runMany(
                SQL.inserts(
                    """
                    INSERT INTO service_analytics (service_catalog_id, search_count_7d, search_count_30d, \
                    view_to_booking_rate, price_percentile_25_cents, price_percentile_50_cents, \
                    price_percentile_75_cents, active_instructors, total_weekly_minutes, \
                    supply_demand_ratio, last_calculated) VALUES
                    """, rows))
            return .completed
        }
    }

    private static func row(_ id: ULID, _ supply: ServiceSupply, _ interest: ServiceInterest, _ now: Instant)
        -> SQL
    {
        """
        (\(id), \(interest.searches7), \(interest.searches30), \(interest.viewToBooking), \
        \(supply.percentile(25)), \(supply.percentile(50)), \(supply.percentile(75)), \
        \(supply.instructors), \(supply.weeklyMinutes), \(supply.ratio(to: interest)), \(now))
        """
    }
}

/// Who offers a service, for how much, and how much time they have.
struct ServiceSupply: Sendable {
    var rates: [Int] = []
    var instructors = 0
    /// That can be booked in the next seven days, of everybody who teaches it.
    var weeklyMinutes = 0

    /// Of the hourly rates, by the nearest rank; nil without any.
    func percentile(_ percent: Int) -> Int? {
        guard !rates.isEmpty else { return nil }
        let sorted = rates.sorted()
        return sorted[max(0, (percent * sorted.count + 99) / 100 - 1)]
    }

    /// Hours that can be booked in a week for each search in a week; nil without searches.
    func ratio(to interest: ServiceInterest) -> Double? {
        guard interest.searches30 > 0 else { return nil }
        return Double(weeklyMinutes) / 60 / (Double(interest.searches30) * 7 / 30)
    }

    /// Every active service of the catalogue, also those that nobody teaches.
    static func measure(_ db: Snapshot, now: Instant) throws -> [ULID: ServiceSupply] {
        var supply: [ULID: ServiceSupply] = [:]
        for id in try db.values("SELECT id FROM service_catalog WHERE is_active", as: ULID.self) {
            supply[id] = ServiceSupply()
        }
        let minutes = try OpenTime.minutes(inDays: 7, now: now, db)
        try db.forEachRow(
            """
            SELECT i.service_catalog_id, i.hourly_rate_cents, p.user_id FROM instructor_services i
            JOIN instructor_profiles p ON p.id = i.instructor_profile_id
            JOIN users u ON u.id = p.user_id
            WHERE i.is_active AND p.is_live AND u.account_status = 'active'
            """
        ) { row in
            let (id, user): (ULID, ULID) = (try row.get(at: 0), try row.get(at: 2))
            guard supply[id] != nil else { return }
            supply[id]?.rates.append(try row.get(at: 1))
            supply[id]?.instructors += 1
            supply[id]?.weeklyMinutes += minutes[user] ?? 0
        }
        return supply
    }
}

/// How a service is searched for.
struct ServiceInterest: Sendable {
    var searches7 = 0
    var searches30 = 0
    var views = 0
    var bookings = 0

    /// Clicks on `book` for each click on `view`, at most 1; nil without views.
    var viewToBooking: Double? { views == 0 ? nil : min(1, Double(bookings) / Double(views)) }

    static func measure(_ db: Snapshot, now: Instant) throws -> [ULID: ServiceInterest] {
        var interest: [ULID: ServiceInterest] = [:]
        func add(_ days: Int, _ path: WritableKeyPath<ServiceInterest, Int>) throws {
            let start = Tally.floor(now - .seconds(days * 86_400))
            let counts = try SearchRecord.serviceTally.counts(
                from: start, to: Tally.floor(now + .seconds(180)), filters: [], db)
            for count in counts {
                guard let id = ULID(count.dimensions[0]) else { continue }
                interest[id, default: ServiceInterest()][keyPath: path] += count.count
            }
        }
        try add(7, \.searches7)
        try add(30, \.searches30)
        let clicks = try db.rows(
            """
            SELECT service_id, action, COUNT(*) FROM search_clicks
            WHERE id >= \(ULID.first(at: now - .seconds(30 * 86_400))) AND service_id IS NOT NULL
            AND action IN ('view', 'book') GROUP BY service_id, action
            """)
        for row in clicks {
            let path: WritableKeyPath<ServiceInterest, Int> =
                try row.get(at: 1, as: String.self) == "book" ? \.bookings : \.views
            interest[try row.get(at: 0), default: ServiceInterest()][keyPath: path] += try row.get(at: 2)
        }
        return interest
    }
}
