import Kernel
import Storage

/// The lessons that the instructor gives.
struct ListInstructorBookings: Query {
    static let name = "instructor_bookings_list"
    static let summary = "The lessons that you give, the last one first; upcoming ones the next first."
    static let audience = Audience.holders(.viewIncomingBookings)
    static let route = Route.get("instructor-bookings")

    @Input("Only those in this state.") var status: BookingStatus?
    @Input("Only lessons that have not begun; confirmed ones unless status says otherwise.")
    var upcomingOnly = false
    @Input("Without confirmed lessons that are not over.") var excludeFutureConfirmed = false
    @Input("With confirmed lessons that are over, beside those in the state.") var includePastConfirmed =
        false
    @Input("The page, from 1; rather follow next_cursor.", .range(1...1_001)) var page = 1
    @Input("Rows of a page.", .range(1...100)) var perPage = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    typealias Output = BookingPage

    func run(_ db: Reader, _ context: Context) async throws -> BookingPage {
        let filter = BookingFilter(
            try context.userID(), .instructor, status: status, upcomingOnly: upcomingOnly,
            excludeFutureConfirmed: excludeFutureConfirmed, includePastConfirmed: includePastConfirmed,
            now: context.now)
        return try await .read(filter, page: page, perPage: perPage, cursor: cursor, db)
    }
}

/// Lessons that are over and that the instructor has not completed.
struct ListPendingCompletion: Query {
    static let name = "instructor_bookings_pending_completion"
    static let summary = "Confirmed lessons of yours that are over and not completed, the last one first."
    static let audience = Audience.holders(.viewIncomingBookings)
    static let route = Route.get("instructor-bookings/pending-completion")

    @Input("The page, from 1; rather follow next_cursor.", .range(1...1_001)) var page = 1
    @Input("Rows of a page.", .range(1...100)) var perPage = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    typealias Output = BookingPage

    func run(_ db: Reader, _ context: Context) async throws -> BookingPage {
        let user = try context.userID()
        let filter = BookingFilter(
            user: user, side: .instructor,
            condition: "b.status = 'CONFIRMED' AND b.booking_end_utc <= \(context.now)",
            name: "pending/\(user)")
        return try await .read(filter, page: page, perPage: perPage, cursor: cursor, db)
    }
}

/// Lessons that the instructor is going to give.
struct ListInstructorUpcoming: Query {
    static let name = "instructor_bookings_upcoming"
    static let summary = "Confirmed lessons that you are going to give, the next one first."
    static let audience = Audience.holders(.viewIncomingBookings)
    static let route = Route.get("instructor-bookings/upcoming")

    @Input("The page, from 1; rather follow next_cursor.", .range(1...1_001)) var page = 1
    @Input("Rows of a page.", .range(1...100)) var perPage = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    typealias Output = BookingPage

    func run(_ db: Reader, _ context: Context) async throws -> BookingPage {
        let filter = BookingFilter(
            try context.userID(), .instructor, status: nil, upcomingOnly: true,
            excludeFutureConfirmed: false, includePastConfirmed: false, now: context.now)
        return try await .read(filter, page: page, perPage: perPage, cursor: cursor, db)
    }
}

/// Lessons that the instructor gave.
struct ListInstructorCompleted: Query {
    static let name = "instructor_bookings_completed"
    static let summary = "Completed lessons that you gave, the last one first."
    static let audience = Audience.holders(.viewIncomingBookings)
    static let route = Route.get("instructor-bookings/completed")

    @Input("The page, from 1; rather follow next_cursor.", .range(1...1_001)) var page = 1
    @Input("Rows of a page.", .range(1...100)) var perPage = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    typealias Output = BookingPage

    func run(_ db: Reader, _ context: Context) async throws -> BookingPage {
        let filter = BookingFilter(
            try context.userID(), .instructor, status: .completed, upcomingOnly: false,
            excludeFutureConfirmed: false, includePastConfirmed: false, now: context.now)
        return try await .read(filter, page: page, perPage: perPage, cursor: cursor, db)
    }
}
