import JSON
import Kernel
import Storage

/// Books a lesson; it takes place once its payment is confirmed.
///
/// Until then it keeps nobody from booking the same time.
struct CreateBooking: Command {
    static let name = "booking_create"
    static let summary = "Book a lesson; it holds its time once its payment is confirmed."
    static let effect = Effect.additive
    static let audience = Audience.holders(.createBookings)
    static let route = Route.post("bookings")
    static let creates = true
    static let action = "booking.request"
    static let answersSecrets = true

    @Input("The instructor's user id.") var instructorID: ULID
    @Input("The service, one of the instructor's.") var instructorServiceID: ULID
    @Input("The day, YYYY-MM-DD, where the lesson is.") var bookingDate: CalendarDay
    @Input("When it begins, HH:MM, on a quarter of an hour.") var startTime: ClockTime
    @Input("Minutes, one of the service's duration_options.", .range(15...720)) var selectedDuration: Int
    @Input("What the instructor should know.", .length(0...1_000)) var studentNote: String?
    @Input("Where it takes place.") var locationType = LessonLocation.online
    @Input("The address of a lesson in person.", .length(0...500)) var locationAddress: String?
    @Input("Where to meet, in words.", .length(0...500)) var meetingLocation: String?
    @Input("Latitude in degrees.", .range(-90...90)) var locationLat: Double?
    @Input("Longitude in degrees.", .range(-180...180)) var locationLng: Double?
    @Input("Id of the place at the provider of maps.", .length(0...255)) var locationPlaceID: String?
    @Input("Zone of an online lesson; the instructor's when left out.", .length(1...50)) var timezone: String?

    @Prepared var attempt: BookingAttempt?
    var subject: Subject? { attempt.map { Subject("booking", $0.id.description) } }

    struct Output: Codable, Sendable {
        var booking: BookingView
        /// The student's browser gives the card to the provider with it.
        var setupIntentClientSecret: String?
    }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        attempt = try await BookingAttempt.prepare(request(context.userID()), db, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard let attempt else { throw Failure(.internal, "A booking was not prepared.") }
        let id = try attempt.book(tx, context)
        return Output(
            booking: try BookingView.of(id, for: context.userID(), tx),
            setupIntentClientSecret: attempt.clientSecret)
    }

    private func request(_ student: ULID) -> LessonRequest {
        LessonRequest(
            studentID: student, instructorID: instructorID, serviceID: instructorServiceID, date: bookingDate,
            startTime: startTime, minutes: selectedDuration,
            place: LessonPlace(
                locationType, address: locationAddress, meeting: meetingLocation, latitude: locationLat,
                longitude: locationLng, placeID: locationPlaceID),
            timezone: timezone, note: studentNote)
    }
}

/// A booking that is about to be written, with what the provider made for it.
struct BookingAttempt: Sendable {
    var id: ULID
    var request: LessonRequest
    var key: BookingRequestKey?
    var customer: String
    var setupIntent: String
    var clientSecret: String?

    /// Nothing is asked of the provider for a lesson that cannot be booked.
    static func prepare(_ request: LessonRequest, _ db: Reader, _ context: Context) async throws
        -> BookingAttempt
    {
        let key = try BookingRequestKey(request, context)
        let id = context.newID()
        try await db.read { db in
            guard try key?.booking(db) == nil else { return }
            _ = try BookingChecks.pass(request, db, context)
        }
        let customer = try await StripeCustomer.ensure(request.studentID, db, context)
        // A repeated call gets the same set-up, and with it the same secret.
        let setup = try await PaymentProvider.required(context, db).ask(
            .createSetupIntent(customer: customer), key: "setup_\(key?.key ?? id.description)")
        return BookingAttempt(
            id: id, request: request, key: key, customer: customer, setupIntent: setup.id,
            clientSecret: setup.clientSecret)
    }

    /// Checks again, for what was seen before may have changed, and writes the booking.
    /// - Returns: the booking's id, or that of an earlier call with the same key.
    func book(_ tx: Transaction, _ context: Context) throws -> ULID {
        // Of two calls with one key the second waits here, and finds what the first wrote.
        _ = try User.lock(request.studentID, tx)
        if let known = try key?.booking(tx) { return known }
        try StripeCustomer.store(customer, of: request.studentID, tx, context)
        let lesson = try BookingChecks.pass(request, tx, context)
        let booking = try lesson.insert(id, setupIntent: setupIntent, requestKey: key, tx, context)
        try tx.note(.setupIntentCreated, id, source: setupIntent)
        try booking.tellOfCreation(tx)
        return id
    }
}

extension Booking {
    /// The student alone: the instructor hears of a lesson that is paid for.
    fileprivate func tellOfCreation(_ tx: Transaction) throws {
        try tx.notify(
            user: studentID, category: .lessonUpdates, type: "booking.created",
            title: "Your lesson is not confirmed yet",
            body: "Add a payment method to confirm \(serviceName). Until then others can book the time.",
            key: outboxKey("booking.created"), data: ["booking_id": .string(id.description)])
    }

    /// What makes the messages of an event once: the booking and the version of it that they tell of.
    package func outboxKey(_ event: String) -> String { "\(event)/\(id)/\(updatedAt.microseconds)" }
}
