import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// The lists of lessons: what is in them, in which order, at which cost.
@Suite struct BookingListTests {
    /// Lessons of one student with one teacher: `h` hours from now, for an hour.
    private static func given(_ world: LessonWorld, _ lessons: [(hours: Int, status: String)]) async throws {
        let (student, teacher, now) = (world.studentID, world.teacher.user, world.platform.now)
        let ids = lessons.map { _ in world.platform.newID() }
        try await world.platform.database.write { tx in
            for ((hours, status), id) in zip(lessons, ids) {
                let start = now + .seconds(hours * 3_600)
                let confirmed: Instant? = status == "PENDING" ? nil : now
                try tx.run(
                    """
                    INSERT INTO bookings (id, student_id, instructor_id, status, created_at, updated_at, \
                    booking_start_utc, booking_end_utc, service_name, duration_minutes, confirmed_at) \
                    VALUES (\(id), \(student), \(teacher), \(status), \(now), \(now), \(start), \
                    \(start + .seconds(3_600)), \("\(hours)"), 60, \(confirmed))
                    """)
            }
        }
    }

    private static let lessons = [
        (-50, "COMPLETED"), (-30, "NO_SHOW"), (-10, "CONFIRMED"), (-5, "CANCELLED"), (-2, "CONFIRMED"),
        (5, "CONFIRMED"), (10, "PENDING"), (20, "CANCELLED"), (30, "CONFIRMED"), (40, "PAYMENT_FAILED"),
    ]

    /// Which lessons a list shows, by their hours.
    private static func hours(
        _ world: LessonWorld, _ name: String, _ arguments: JSONObject = [:], as actor: Actor? = nil
    ) async throws -> [Int] {
        let answer = try await world.platform.call(name, arguments, as: actor ?? world.student)
        return (answer["items"]?.arrayValue ?? []).compactMap {
            $0["service_name"]?.stringValue.flatMap(Int.init)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theFiltersOfAListSayWhatIsInIt(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await Self.given(world, Self.lessons)
            let stranger = try await platform.person(.student)
            let cases: [(JSONObject, [Int])] = [
                ([:], [40, 30, 20, 10, 5, -2, -5, -10, -30, -50]),
                (["status": "CANCELLED"], [20, -5]),
                (["status": "COMPLETED"], [-50]),
                (["status": "COMPLETED", "include_past_confirmed": true], [-2, -10, -50]),
                (["upcoming_only": true], [5, 30]),
                (["upcoming_only": true, "status": "PENDING"], [10]),
                (["exclude_future_confirmed": true], [40, 20, 10, -2, -5, -10, -30, -50]),
            ]
            for (arguments, expected) in cases {
                #expect(try await Self.hours(world, "bookings_list", arguments) == expected, "\(arguments)")
                #expect(
                    try await Self.hours(world, "bookings_list", arguments, as: world.teacher.actor)
                        == expected)
                #expect(
                    try await Self.hours(
                        world, "instructor_bookings_list", arguments, as: world.teacher.actor) == expected)
                #expect(try await Self.hours(world, "bookings_list", arguments, as: stranger).isEmpty)
            }
            #expect(try await Self.hours(world, "bookings_upcoming") == [5, 30])
            #expect(try await Self.hours(world, "bookings_upcoming", ["limit": 1]) == [5])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInstructorSeesWhatIsToBeDone(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await Self.given(world, Self.lessons)
            let teacher = world.teacher.actor
            #expect(
                try await Self.hours(world, "instructor_bookings_pending_completion", as: teacher) == [
                    -2, -10,
                ])
            #expect(try await Self.hours(world, "instructor_bookings_upcoming", as: teacher) == [5, 30])
            #expect(try await Self.hours(world, "instructor_bookings_completed", as: teacher) == [-50])
            for name in ["list", "pending_completion", "upcoming", "completed"] {
                let failure = try await platform.failure("instructor_bookings_\(name)", as: world.student)
                #expect(failure?.code == .forbidden)
                let other = try await platform.teacher()
                #expect(
                    try await Self.hours(world, "instructor_bookings_\(name)", as: other.actor).isEmpty)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func pagesFollowEachOtherByCursorAndByNumber(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            // Some begin at the same time.
            let all = (0..<13).map { ($0 / 2, "CANCELLED") }
            try await Self.given(world, all)
            for arguments in [[:], ["upcoming_only": true, "status": "CANCELLED"]] as [JSONObject] {
                let whole = try await ids(world, arguments)
                #expect(Set(whole).count == (arguments.isEmpty ? 13 : 11))
                var (found, cursor): ([String], String?) = ([], nil)
                repeat {
                    let page = try await platform.call(
                        "bookings_list",
                        arguments.merging(["per_page": 4]).merging(
                            cursor.map { ["cursor": .string($0)] } ?? [:]),
                        as: world.student)
                    found += ids(page)
                    cursor = page["next_cursor"]?.stringValue
                    #expect(page["has_next"]?.boolValue == (cursor != nil))
                } while cursor != nil
                #expect(found == whole)
                var numbered: [String] = []
                for number in 1...5 {
                    numbered += try await ids(
                        world, arguments.merging(["per_page": 4, "page": .int(number)]))
                }
                #expect(numbered == whole)
            }
            let first = try await platform.call("bookings_list", ["per_page": 4], as: world.student)
            let wrong = try await platform.failure(
                "bookings_list",
                ["per_page": 4, "status": "CANCELLED", "cursor": first["next_cursor"] ?? .null],
                as: world.student)
            #expect(wrong?.code == .invalidInput, "the cursor is of another list")
        }
    }

    private func ids(_ page: JSONValue) -> [String] {
        (page["items"]?.arrayValue ?? []).compactMap { $0["id"]?.stringValue }
    }

    private func ids(_ world: LessonWorld, _ arguments: JSONObject) async throws -> [String] {
        ids(try await world.platform.call("bookings_list", arguments, as: world.student))
    }

    @Test(arguments: TestDatabase.available)
    func aListCostsTheSameHoweverLongItIs(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            let lists: [(String, Actor)] = [
                ("bookings_list", world.student), ("bookings_upcoming", world.student),
                ("instructor_bookings_list", world.teacher.actor),
                ("instructor_bookings_pending_completion", world.teacher.actor),
                ("instructor_bookings_upcoming", world.teacher.actor),
                ("instructor_bookings_completed", world.teacher.actor),
            ]
            try await Self.given(world, [(-9, "COMPLETED"), (-7, "CONFIRMED"), (5, "CONFIRMED")])
            func counts() async throws -> [Int] {
                var counts: [Int] = []
                for (name, actor) in lists {
                    _ = platform.database.takeStatementCount()
                    _ = try await platform.call(name, as: actor)
                    counts.append(platform.database.takeStatementCount())
                }
                return counts
            }
            #expect(try await counts() == Array(repeating: 2, count: lists.count))
            for hour in 20..<35 {
                try await Self.given(
                    world,
                    [
                        (-hour * 2, "COMPLETED"), (-hour * 2 - 100, "CONFIRMED"), (hour * 2, "CONFIRMED"),
                    ])
            }
            #expect(try await counts() == Array(repeating: 2, count: lists.count))
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyThoseWhoTakePartSeeALesson(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await Self.given(world, [(5, "CONFIRMED")])
            let id = try await platform.value("SELECT id FROM bookings", as: String.self) ?? ""
            let arguments: JSONObject = ["id": .string(id)]
            let (student, stranger) = (try await platform.person(.student), try await platform.teacher())
            for name in ["booking_show", "booking_preview", "booking_pricing"] {
                for actor in [world.student, world.teacher.actor] {
                    #expect(try await platform.failure(name, arguments, as: actor) == nil, "\(name)")
                }
                for actor in [student, stranger.actor] {
                    #expect(try await platform.failure(name, arguments, as: actor)?.code == .notFound)
                }
            }
            let preview = try await platform.call("booking_preview", arguments, as: world.student)
            #expect(preview["instructor_name"]?.stringValue == "Maria L.")
            #expect(preview["student_name"]?.stringValue == "Sam S.")
            #expect(preview["student_note"] == nil)
            let change: JSONObject = arguments.merging(["instructor_note": "Bring your book"])
            for (actor, code) in [
                (world.student, Failure.Code.forbidden), (stranger.actor, .notFound),
            ] {
                #expect(try await platform.failure("booking_update", change, as: actor)?.code == code)
            }
            _ = try await platform.call("booking_update", change, as: world.teacher.actor)
            // The same again changes nothing, and says nothing.
            _ = try await platform.call("booking_update", change, as: world.teacher.actor)
            let shown = try await platform.call("booking_show", arguments, as: world.student)
            #expect(shown["instructor_note"]?.stringValue == "Bring your book")
            #expect(try await platform.audited("booking.update") == 1)
            let entries = try await platform.rows(
                "SELECT changes FROM audit_logs WHERE action = 'booking.update'")
            #expect(entries.allSatisfy { !$0.contains("Bring") })
            let emptied = try await platform.call(
                "booking_update", arguments.merging(["instructor_note": ""]), as: world.teacher.actor)
            #expect(emptied["instructor_note"]?.isNull == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theStatisticsAreThoseOfTheLessonsAndTheLedger(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            let none = try await platform.call("booking_stats", as: world.teacher.actor)
            #expect(none["completion_rate"]?.isNull == true && none["total_earnings_cents"]?.intValue == 0)
            try await Self.given(world, Self.lessons)
            let teacher = world.teacher.user
            func post(_ movements: [Ledger.Movement], _ key: String) async throws {
                try await platform.act { tx, context in
                    try Ledger.post(movements, .init(instructor: teacher), key: key, tx, context)
                }
            }
            platform.clock.set(platform.now - .seconds(40 * 86_400))
            try await post([.init(.instructorShare, 8_500), .init(.instructorTransfer, 8_500)], "a")
            platform.clock.set(TestClock.start)
            try await post([.init(.instructorShare, 4_250), .init(.refundOfShare, 1_000)], "b")
            let stats = try await platform.call("booking_stats", as: world.teacher.actor)
            let expected: JSONObject = [
                "total_bookings": 9, "upcoming_bookings": 2, "completed_bookings": 1, "cancelled_bookings": 2,
                "no_show_bookings": 1, "completion_rate": 0.25, "cancellation_rate": 0.5,
                "total_earnings_cents": 11_750, "total_earnings": 117.5, "this_month_earnings_cents": 3_250,
            ]
            for (name, value) in expected { #expect(stats[name] == value, "\(name)") }
            #expect(try await platform.failure("booking_stats", as: world.student)?.code == .forbidden)
        }
    }
}
