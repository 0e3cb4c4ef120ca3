import Kernel
import Storage

/// The person's lessons, as a student and as an instructor.
struct ListBookings: Query {
    static let name = "bookings_list"
    static let summary = "The signed-in person's lessons, the last one first; upcoming ones the next first."
    static let audience = Audience.users
    static let route = Route.get("bookings")

    @Input("Only those in this state.") var status: BookingStatus?
    @Input("Only lessons that have not begun; confirmed ones unless status says otherwise.")
    var upcomingOnly = false
    @Input("Without confirmed lessons that are not over.") var excludeFutureConfirmed = false
    @Input("With confirmed lessons that are over, beside those in the state.") var includePastConfirmed =
        false
    @Input("The page, from 1; rather follow next_cursor.", .range(1...1_001)) var page = 1
    @Input("Rows of a page.", .range(1...100)) var perPage = 20
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    typealias Output = BookingPage

    func run(_ db: Reader, _ context: Context) async throws -> BookingPage {
        let filter = BookingFilter(
            try context.userID(), .any, status: status, upcomingOnly: upcomingOnly,
            excludeFutureConfirmed: excludeFutureConfirmed, includePastConfirmed: includePastConfirmed,
            now: context.now)
        return try await .read(filter, page: page, perPage: perPage, cursor: cursor, db)
    }
}

/// The person's next lessons.
struct ListUpcomingBookings: Query {
    static let name = "bookings_upcoming"
    static let summary = "The signed-in person's next confirmed lessons, the next one first."
    static let audience = Audience.users
    static let route = Route.get("bookings/upcoming")

    @Input("Rows to return.", .range(1...20)) var limit = 5

    struct Output: Codable, Sendable { var items: [BookingView] }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let filter = BookingFilter(
            try context.userID(), .any, status: nil, upcomingOnly: true, excludeFutureConfirmed: false,
            includePastConfirmed: false, now: context.now)
        let limit = limit
        return Output(
            items: try await db.read { db in
                try BookingView.of(BookingDetails.page(filter, after: nil, limit: limit, db), db)
            })
    }
}

/// One lesson of the person's.
struct ShowBooking: Query {
    static let name = "booking_show"
    static let summary = "One of the signed-in person's lessons."
    static let audience = Audience.users
    static let route = Route.get("bookings/:id")

    @Input("The booking's id.") var id: ULID
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ db: Reader, _ context: Context) async throws -> BookingView {
        let (user, id) = (try context.userID(), id)
        return try await db.read { try BookingView.of(id, for: user, $0) }
    }
}

/// The few facts that a card or a tooltip shows.
struct PreviewBooking: Query {
    static let name = "booking_preview"
    static let summary = "The few facts of one of the signed-in person's lessons that a card shows."
    static let audience = Audience.users
    static let route = Route.get("bookings/:id/preview")

    @Input("The booking's id.") var id: ULID
    var subject: Subject? { Subject("booking", id.description) }

    struct Output: Codable, Sendable {
        var bookingID: ULID
        var studentName: String
        var instructorName: String
        var serviceName: String
        var bookingDate: CalendarDay
        var startTime: ClockTime
        var endTime: ClockTime
        var lessonTimezone: String
        var durationMinutes: Int
        var locationType: LessonLocation
        var meetingLocation: String?
        var serviceArea: String?
        var status: BookingStatus
        /// In dollars, without the student's fee.
        var totalPrice: Double
        var totalPriceCents: Int

        init(_ booking: BookingView) {
            bookingID = booking.id
            studentName = booking.student.name
            instructorName = booking.instructor.name
            serviceName = booking.serviceName
            bookingDate = booking.bookingDate
            startTime = booking.startTime
            endTime = booking.endTime
            lessonTimezone = booking.lessonTimezone
            durationMinutes = booking.durationMinutes
            locationType = booking.locationType
            meetingLocation = booking.meetingLocation
            serviceArea = booking.serviceArea
            status = booking.status
            totalPrice = booking.totalPrice
            totalPriceCents = booking.totalPriceCents
        }
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, id) = (try context.userID(), id)
        return Output(try await db.read { try BookingView.of(id, for: user, $0) })
    }
}
