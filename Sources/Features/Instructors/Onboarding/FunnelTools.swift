import JSON
import Kernel
import Storage

/// Who is counted in a funnel.
enum FunnelView: String, Sendable, CaseIterable, Codable, InputEnum {
    /// Whoever reached the stage, or a later one, inside the window.
    case window
    /// Whoever registered inside the window, and how far they have come since.
    case cohort
}

/// Counts distinct people at each stage of the onboarding.
///
/// Stages can be skipped, so who reached a later one counts at those before it: counts never
/// grow from stage to stage, and no rate is above 1.
struct FoundingFunnelSummary: Query {
    static let name = "founding_funnel_summary"
    static let title = "Founding funnel"
    static let summary =
        "How many instructors reached each stage of the onboarding, and the founding places left."
    static let route = Route.get("founding/funnel")

    @Input("First day of UTC; open when left out.") var startDate: CalendarDay?
    @Input("Last day of UTC; open when left out.") var endDate: CalendarDay?
    @Input("window: stages reached in it; cohort: registered in it, however far since.")
    var view = FunnelView.window

    struct Output: Codable, Sendable {
        struct Stage: Codable, Sendable {
            var stage: LifecycleEvent
            var count: Int
            var description: String
        }
        struct Conversion: Codable, Sendable {
            var fromStage: LifecycleEvent
            var toStage: LifecycleEvent
            /// Four decimals; 0 of nobody.
            var rate: Double
        }
        struct Cap: Codable, Sendable {
            var cap: Int
            var used: Int
            var remaining: Int
            /// Open invites that would grant a place.
            var promised: Int
            var isFoundingPhase: Bool
        }
        struct Window: Codable, Sendable {
            var start: Instant?
            /// The first moment after it.
            var end: Instant?
        }
        var meta: AnswerMeta
        var stages: [Stage]
        var conversionRates: [Conversion]
        var foundingCap: Cap
        var timeWindow: Window
        var view: FunnelView
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (view, days, now) = (view, try DayRange(startDate, endDate), context.now)
        let (counts, cap) = try await db.read { db in
            (try LifecycleEvent.funnel(view, days, db), try Self.cap(db, now: now))
        }
        let stages = zip(LifecycleEvent.stages, counts).map {
            Output.Stage(stage: $0, count: $1, description: $0.funnelDescription)
        }
        let rates = zip(stages, stages.dropFirst()).map { from, to in
            Output.Conversion(
                fromStage: from.stage, toStage: to.stage,
                rate: SearchStatistics.ratio(to.count, from.count))
        }
        return Output(
            meta: AnswerMeta(context), stages: stages, conversionRates: rates, foundingCap: cap,
            timeWindow: .init(start: days.start, end: days.end), view: view)
    }

    private static func cap(_ db: Snapshot, now: Instant) throws -> Output.Cap {
        let (cap, used) = (try PricingConfig.current(db).foundingInstructorCap, try Founding.used(db))
        return Output.Cap(
            cap: cap, used: used, remaining: max(0, cap - used),
            promised: try Invite.outstandingFounding(db, now: now), isFoundingPhase: used < cap)
    }
}

/// Lists instructors whose onboarding has not moved for days.
struct FoundingStuckInstructors: Query {
    static let name = "founding_stuck_instructors"
    static let title = "Stuck instructors"
    static let summary = "Instructors who stopped at a stage of the onboarding, the longest there first."
    static let route = Route.get("founding/stuck")

    @Input("At the stage for at least so many days.", .range(1...90)) var stuckDays = 7
    @Input("Only this stage; nobody is stuck once live.") var stage: LifecycleEvent?
    @Input("Rows to return.", .range(1...200)) var limit = 50
    @Input("Show names and addresses in full; needs mcp:write and a reason.") var reveal = false
    @Input("Why they are shown; kept in the audit log.", .length(3...500)) var reason: String?

    struct Output: Codable, Sendable {
        struct Summary: Codable, Sendable {
            var stage: LifecycleEvent
            var stuckCount: Int
        }
        struct Instructor: Codable, Sendable {
            var userID: ULID
            /// "Maria L." unless revealed.
            var name: String
            /// Masked unless revealed.
            var email: String
            var currentStage: LifecycleEvent
            var daysInStage: Int
            var occurredAt: Instant
        }
        var meta: AnswerMeta
        /// Everybody who is stuck, in the order of the stages; not only the rows below.
        var summary: [Summary]
        var instructors: [Instructor]
        var totalStuck: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (limit, now) = (limit, context.now)
        let reveal = try Reveal(reveal, reason: reason, context)
        let stuck = LifecycleEvent.stuck(before: now - .seconds(stuckDays * 86_400), stage)
        let (summary, rows) = try await db.read { db in
            (
                try db.rows("SELECT e.event_type, COUNT(*) \(stuck) GROUP BY e.event_type").map {
                    Output.Summary(stage: try $0.get(at: 0), stuckCount: try $0.get(at: 1))
                },
                try db.rows(
                    """
                    SELECT e.user_id, e.event_type, e.occurred_at, u.first_name, u.last_name, u.email \
                    \(stuck) ORDER BY e.occurred_at, e.id LIMIT \(limit)
                    """
                ).map { try Output.Instructor(row: $0, reveal, now: now) }
            )
        }
        let order = LifecycleEvent.stages
        return Output(
            meta: AnswerMeta(context),
            summary: summary.sorted {
                order.firstIndex(of: $0.stage) ?? 0 < order.firstIndex(of: $1.stage) ?? 0
            },
            instructors: rows, totalStuck: summary.reduce(0) { $0 + $1.stuckCount })
    }
}

extension FoundingStuckInstructors.Output.Instructor {
    init(row: Row, _ reveal: Reveal, now: Instant) throws {
        userID = try row.get(at: 0)
        currentStage = try row.get(at: 1)
        occurredAt = try row.get(at: 2)
        let (first, last, address): (String, String, String) = (
            try row.get(at: 3), try row.get(at: 4), try row.get(at: 5)
        )
        name = reveal.isGranted ? "\(first) \(last)" : User.privacyName(first, last)
        email = reveal.isGranted ? address : Recipient.masked(address)
        daysInStage = Int((now - occurredAt).components.seconds / 86_400)
    }
}

extension LifecycleEvent {
    /// Distinct people by stage, in the order of ``stages``; one statement.
    static func funnel(_ view: FunnelView, _ days: DayRange, _ db: Snapshot) throws -> [Int] {
        let among: SQL =
            switch view {
            case .window: days.condition("e.occurred_at")
            case .cohort:
                """
                 AND EXISTS (SELECT 1 FROM instructor_lifecycle_events r
                WHERE r.user_id = e.user_id AND r.event_type = 'registered'\(days.condition("r.occurred_at")))
                """
            }
        let rank = stages.enumerated().reduce("CASE e.event_type" as SQL) {
            $0 + " WHEN \($1.element) THEN \($1.offset)"
        }
        let rows = try db.rows(
            """
            SELECT furthest, COUNT(*) FROM (SELECT e.user_id, MAX(CAST(\(rank) END AS INTEGER)) AS furthest
            FROM instructor_lifecycle_events e
            WHERE e.event_type \(in: stages.map(\.rawValue))\(among) GROUP BY e.user_id) AS people
            GROUP BY furthest
            """)
        var counts = Array(repeating: 0, count: stages.count)
        for row in rows { counts[try row.get(at: 0)] = try row.get(at: 1) }
        for index in counts.indices.dropLast().reversed() { counts[index] += counts[index + 1] }
        return counts
    }

    /// `FROM` and `WHERE` of those whose latest event is a stage before the last one and
    /// happened at `moment` or before. Accounts that are not active wait for nothing.
    static func stuck(before moment: Instant, _ stage: LifecycleEvent?) -> SQL {
        let unfinished = stages.dropLast().filter { stage == nil || stage == $0 }.map(\.rawValue)
        return """
            FROM instructor_lifecycle_events e JOIN users u ON u.id = e.user_id
            WHERE e.event_type \(in: unfinished) AND e.occurred_at <= \(moment)
            AND u.deleted_at IS NULL AND u.account_status = 'active'
            AND NOT EXISTS (SELECT 1 FROM instructor_lifecycle_events n
                WHERE n.user_id = e.user_id AND n.id > e.id)
            """
    }

    var funnelDescription: String {
        switch self {
        case .registered: "Registered as an instructor"
        case .profileSubmitted: "Submitted a profile"
        case .servicesConfigured: "Configured at least one service"
        case .bgcInitiated: "Background check started"
        case .bgcCompleted: "Background check completed"
        case .identityVerified: "Identity verified"
        case .wentLive: "Went live"
        case .paused: "Paused"
        case .reactivated: "Came back"
        }
    }
}
