import JSON
import Kernel
import Storage

/// Whether a lesson could be booked: the checks of ``CreateBooking``, without a booking.
struct CheckAvailability: Query {
    static let name = "booking_check_availability"
    static let summary = "Whether a lesson could be booked at a time, and if not why."
    static let audience = Audience.holders(.createBookings)
    // What is asked may hold an address, which does not belong into a path.
    static let route = Route.post("bookings/check-availability")

    @Input("The instructor's user id.") var instructorID: ULID
    @Input("The service, one of the instructor's.") var instructorServiceID: ULID
    @Input("The day, YYYY-MM-DD, where the lesson is.") var bookingDate: CalendarDay
    @Input("When it begins, HH:MM, on a quarter of an hour.") var startTime: ClockTime
    @Input("Minutes, one of the service's duration_options.", .range(15...720)) var selectedDuration: Int
    @Input("Where it takes place.") var locationType = LessonLocation.online
    @Input("The address of a lesson in person.", .length(0...500)) var locationAddress: String?
    @Input("Where to meet, in words.", .length(0...500)) var meetingLocation: String?
    @Input("Latitude in degrees.", .range(-90...90)) var locationLat: Double?
    @Input("Longitude in degrees.", .range(-180...180)) var locationLng: Double?
    @Input("Zone of an online lesson; the instructor's when left out.", .length(1...50)) var timezone: String?
    @Input("A booking of yours that is to be moved: its time counts as free.") var excludeBookingID: ULID?

    struct Output: Codable, Sendable {
        var available: Bool
        /// The code of the check that fails.
        var code: String?
        var reason: String?
        /// Whose time is taken: instructor or student.
        var conflictScope: String?
        var priceCents: Int?
        var bookingStartUTC: Instant?
        var bookingEndUTC: Instant?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (request, user, excluded) = (
            request(try context.userID()), try context.userID(), excludeBookingID
        )
        return try await db.read { db in
            if let excluded { _ = try BookingDetails.find(excluded, of: user, db) }
            do {
                let lesson = try BookingChecks.pass(request, db, context)
                return Output(
                    available: true, priceCents: lesson.priceCents, bookingStartUTC: lesson.time.start,
                    bookingEndUTC: lesson.time.end)
            } catch let failure as Failure where failure.reason != "service_not_found" {
                return Output(
                    available: false, code: failure.reason ?? failure.code.rawValue, reason: failure.message,
                    conflictScope: failure.details["conflict_scope"]?.stringValue)
            }
        }
    }

    private func request(_ student: ULID) -> LessonRequest {
        LessonRequest(
            studentID: student, instructorID: instructorID, serviceID: instructorServiceID, date: bookingDate,
            startTime: startTime, minutes: selectedDuration,
            place: LessonPlace(
                locationType, address: locationAddress, meeting: meetingLocation, latitude: locationLat,
                longitude: locationLng),
            timezone: timezone, replacing: excludeBookingID)
    }
}
