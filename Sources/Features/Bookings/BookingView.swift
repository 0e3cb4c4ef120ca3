import Kernel
import Storage

/// A booking as its student and its instructor see it. Notes are each other's words: untrusted.
struct BookingView: Codable, Sendable {
    struct Person: Codable, Sendable {
        var id: ULID
        var name: String
    }

    var id: ULID
    var student: Person
    var instructor: Person
    var instructorServiceID: ULID?
    var status: BookingStatus
    var paymentStatus: PaymentStatus?
    var settlementOutcome: String?
    /// The bank is being asked; look again in a moment.
    var isPaymentInProgress: Bool
    /// When the card is charged.
    var authScheduledFor: Instant?
    var authFailureCount: Int
    var bookingDate: CalendarDay
    var startTime: ClockTime
    /// `00:00:00` for the end of the day.
    var endTime: ClockTime
    var bookingStartUTC: Instant
    var bookingEndUTC: Instant
    var lessonTimezone: String
    var instructorTzAtBooking: String?
    var studentTzAtBooking: String?
    var serviceName: String
    /// In dollars.
    var hourlyRate: Double
    var hourlyRateCents: Int
    /// In dollars, without the student's fee.
    var totalPrice: Double
    var totalPriceCents: Int
    var durationMinutes: Int
    var locationType: LessonLocation
    var serviceArea: String?
    var meetingLocation: String?
    var locationAddress: String?
    var locationLat: Double?
    var locationLng: Double?
    var locationPlaceID: String?
    var studentNote: String?
    var instructorNote: String?
    var rescheduledFromBookingID: ULID?
    var rescheduledToBookingID: ULID?
    var cancelledByID: ULID?
    var cancellationReason: String?
    var createdAt: Instant
    var updatedAt: Instant
    var confirmedAt: Instant?
    var completedAt: Instant?
    var cancelledAt: Instant?

    init(_ details: BookingDetails, names: [ULID: String]) {
        let booking = details.booking
        let zone = LocalZone(booking.zone)
        func person(_ id: ULID) -> Person { Person(id: id, name: names[id] ?? User.formerName) }
        func cleaned(_ text: String?) -> String? { text.map { UntrustedText.cleaned($0) } }
        id = booking.id
        student = person(booking.studentID)
        instructor = person(booking.instructorID)
        instructorServiceID = booking.serviceID
        status = booking.status
        paymentStatus = booking.paymentStatus
        settlementOutcome = booking.settlementOutcome?.rawValue
        isPaymentInProgress = details.isPaymentInProgress
        authScheduledFor = details.authScheduledFor
        authFailureCount = details.authFailureCount
        bookingDate = booking.date ?? zone.day(booking.start)
        startTime = details.startTime ?? ClockTime(minute: zone.local(booking.start).minute)
        endTime = details.endTime ?? ClockTime(minute: zone.local(booking.end).minute)
        bookingStartUTC = booking.start
        bookingEndUTC = booking.end
        lessonTimezone = zone.name
        instructorTzAtBooking = details.instructorZone
        studentTzAtBooking = details.studentZone
        serviceName = booking.serviceName
        hourlyRate = DollarAmount(cents: booking.hourlyRateCents).dollars
        hourlyRateCents = booking.hourlyRateCents
        totalPrice = DollarAmount(cents: booking.priceCents).dollars
        totalPriceCents = booking.priceCents
        durationMinutes = booking.durationMinutes
        locationType = booking.location
        serviceArea = details.serviceArea
        meetingLocation = cleaned(details.meetingLocation)
        locationAddress = cleaned(details.address)
        locationLat = details.latitude
        locationLng = details.longitude
        locationPlaceID = details.placeID
        studentNote = cleaned(details.studentNote)
        instructorNote = cleaned(details.instructorNote)
        rescheduledFromBookingID = booking.rescheduledFrom
        rescheduledToBookingID = booking.rescheduledTo
        cancelledByID = details.cancelledBy
        cancellationReason = cleaned(details.cancellationReason)
        createdAt = booking.createdAt
        updatedAt = booking.updatedAt
        confirmedAt = booking.confirmedAt
        completedAt = booking.completedAt
        cancelledAt = booking.cancelledAt
    }

    /// One statement more than the rows took, for the names.
    static func of(_ rows: [BookingDetails], _ db: Snapshot) throws -> [BookingView] {
        let people = Set(rows.flatMap { [$0.booking.studentID, $0.booking.instructorID] })
        let names = try User.names(people.sorted(), db)
        return rows.map { BookingView($0, names: names) }
    }

    /// A booking in which `user` takes part.
    static func of(_ id: ULID, for user: ULID, _ db: Snapshot) throws -> BookingView {
        try one(BookingDetails.find(id, of: user, db), db)
    }

    /// A booking that the caller may see.
    static func of(_ booking: Booking, _ db: Snapshot) throws -> BookingView {
        guard let details = try BookingDetails.find(booking.id, db) else {
            throw Booking.notFound(booking.id)
        }
        return try one(details, db)
    }

    /// The same booking as it is by now.
    static func again(_ view: BookingView, _ db: Snapshot) throws -> BookingView {
        try of(view.id, for: view.student.id, db)
    }

    private static func one(_ details: BookingDetails, _ db: Snapshot) throws -> BookingView {
        guard let view = try of([details], db).first else { throw Booking.notFound(details.booking.id) }
        return view
    }
}
