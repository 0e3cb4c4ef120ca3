import Features
import JSON
import Kernel
import PlatformSupport
import Storage

/// People who teach, what they teach and when, for tests of the marketplace.
struct Teacher: Sendable {
    var actor: Actor
    var user: ULID
    var profile: ULID
}

extension TestPlatform {
    /// A person with the role and a profile that is live.
    func teacher(
        firstName: String = "Maria", lastName: String = "Lopez", timezone: String = "America/New_York",
        isLive: Bool = true
    ) async throws -> Teacher {
        let actor = try await person(.instructor, firstName: firstName, lastName: lastName)
        let user = try Self.id(actor)
        let profile = environment.ids.next(at: now)
        try await execute(
            "UPDATE users SET timezone = \(timezone) WHERE id = \(user)",
            """
            INSERT INTO instructor_profiles (id, user_id, is_live, bgc_status, min_advance_booking_hours, \
            buffer_time_minutes, created_at, updated_at)
            VALUES (\(profile), \(user), \(isLive), 'passed', 1, 15, \(now), \(now))
            """)
        return Teacher(actor: actor, user: user, profile: profile)
    }

    static func id(_ actor: Actor) throws -> ULID {
        guard let id = actor.id.flatMap({ ULID($0) }) else { throw Failure(.internal, "not a person") }
        return id
    }

    /// Offers a service by its slug; in person and online at $100 unless told otherwise.
    @discardableResult
    func offer(
        _ slug: String, by teacher: Teacher, _ more: JSONObject = [:]
    ) async throws -> JSONValue {
        let base: JSONObject = [
            "service_catalog_id": .string(CatalogSeed.service(slug).description), "hourly_rate": 100,
        ]
        return try await call("services_instructor_add", base.merging(more), as: teacher.actor)
    }

    /// A lesson, past everything that would refuse it.
    func book(
        _ teacher: Teacher, from start: Instant, to end: Instant, status: String = "CONFIRMED"
    ) async throws {
        let student = try Self.id(try await person(.student))
        try await execute(
            """
            INSERT INTO bookings (id, student_id, instructor_id, status, created_at, updated_at, \
            booking_start_utc, booking_end_utc) VALUES (\(environment.ids.next(at: now)), \(student), \
            \(teacher.user), \(status), \(now), \(now), \(start), \(end))
            """)
    }

    /// Takes the account out of the market, past everything that would refuse it.
    func suspend(_ teacher: Teacher) async throws {
        try await execute("UPDATE users SET account_status = 'suspended' WHERE id = \(teacher.user)")
    }

    /// Enqueues a job and runs what is due.
    func runJob(_ job: some Job) async throws {
        try await database.transaction(context(.system("test"), surface: .job), category: .automated) {
            tx, _ in _ = try tx.enqueue(job)
        }
        try await drainJobs()
        let problems = try await rows(
            """
            SELECT error_message FROM task_executions WHERE outcome <> 'completed'
            AND task_name = \(type(of: job).name)
            """)
        guard problems.isEmpty else { throw Failure(.internal, problems.joined(separator: " ")) }
    }

    /// Writes bits past the operations.
    func setBits(_ days: [CalendarDay: DayBits], of teacher: Teacher) async throws {
        let time = now
        try await database.write { tx in
            for (day, bits) in days {
                try tx.run(
                    """
                    INSERT INTO availability_days (instructor_id, day_date, bits, updated_at)
                    VALUES (\(teacher.user), \(day), \(bits), \(time))
                    """)
            }
        }
    }
}

/// A window as arguments have it.
func slot(_ date: CalendarDay, _ start: String, _ end: String) -> JSONValue {
    ["date": .string(date.description), "start_time": .string(start), "end_time": .string(end)]
}

/// `start-end` of every window in an answer.
func windows(_ value: JSONValue?) -> [String] {
    (value?.arrayValue ?? []).map {
        "\($0["start_time"]?.stringValue ?? "?")-\($0["end_time"]?.stringValue ?? "?")"
    }
}
