import Features
import JSON
import Kernel
import PlatformSupport
import Storage

/// A teacher who is there all day and every day of three weeks, what they offer, and a student.
struct LessonWorld: Sendable {
    let platform: TestPlatform
    let teacher: Teacher
    let service: ULID
    let student: Actor
    let studentID: ULID
    let zone: LocalZone
    /// A week from now.
    let day: CalendarDay

    static let account = "acct_teacher"

    /// Online at $100 an hour, and whatever `offer` says; an hour's notice and a quarter of an hour
    /// between lessons.
    static func make(
        _ platform: TestPlatform, timezone: String = "America/New_York", offer: JSONObject = [:]
    ) async throws -> LessonWorld {
        let teacher = try await platform.teacher(timezone: timezone)
        let made = try await platform.offer(
            "piano", by: teacher, (["duration_options": [30, 60, 90]] as JSONObject).merging(offer))
        guard let service = made["id"]?.stringValue.flatMap({ ULID($0) }) else {
            throw Failure(.internal, "no service")
        }
        let zone = LocalZone(timezone)
        let today = zone.day(platform.now)
        let whole = DayBits([DayWindow(startMinute: 0, endMinute: ClockTime.lastMinute)])
        try await platform.setBits(
            Dictionary(uniqueKeysWithValues: (-1..<22).map { (today.adding(days: $0), whole) }), of: teacher)
        let student = try await platform.person(.student, firstName: "Sam", lastName: "Smith")
        return LessonWorld(
            platform: platform, teacher: teacher, service: service, student: student,
            studentID: try TestPlatform.id(student), zone: zone, day: today.adding(days: 7))
    }

    /// The arguments of a booking: an hour online at ten, a week from now.
    func arguments(
        on day: CalendarDay? = nil, at time: String = "10:00", minutes: Int = 60, _ more: JSONObject = [:]
    ) -> JSONObject {
        let base: JSONObject = [
            "instructor_id": .string(teacher.user.description),
            "instructor_service_id": .string(service.description),
            "booking_date": .string((day ?? self.day).description), "start_time": .string(time),
            "selected_duration": .int(minutes),
        ]
        return base.merging(more)
    }

    /// Why a booking is refused; nil when it is not.
    func refusal(_ arguments: JSONObject, as actor: Actor? = nil) async throws -> Failure? {
        try await platform.failure("booking_create", arguments, as: actor ?? student)
    }

    /// The code of the check that fails; nil when all pass.
    func check(_ arguments: JSONObject) async throws -> String? {
        let answer = try await platform.call("booking_check_availability", arguments, as: student)
        return answer["code"]?.stringValue
    }

    func moment(_ time: String, on day: CalendarDay? = nil) throws -> Instant {
        guard let time = ClockTime(time) else { throw Failure(.internal, "no time") }
        return zone.instant(day ?? self.day, minute: time.minute)
    }

    func change(_ table: String, _ columns: SQL) async throws {
        let id: SQL =
            switch table {
            case "instructor_services": "id = \(service)"
            case "instructor_profiles": "id = \(teacher.profile)"
            case "users": "id = \(studentID)"
            default: "1 = 1"
            }
        try await platform.execute("UPDATE \(identifier: table) SET \(columns) WHERE \(id)")
    }

    /// A neighbourhood in which the teacher teaches.
    func area() async throws -> Region {
        let regions = try await platform.database.read { try Region.all($0) }
        guard let region = regions.first else { throw Failure(.internal, "no regions") }
        let areas: JSONValue = [["neighborhood_id": .string(region.id.description)]]
        _ = try await platform.call("my_service_areas_replace", ["areas": areas], as: teacher.actor)
        return region
    }
}
