import Kernel
import Storage

/// Pays for a pending lesson with a card.
struct ConfirmPayment: Command {
    static let name = "booking_confirm_payment"
    static let summary = "Give the card of a pending booking: charged a day before the lesson, or now."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.createBookings)
    static let bucket = RateBucket.financial
    static let route = Route.post("bookings/:id/confirm-payment")
    static let action = "booking.confirm_payment"

    @Input("The booking's id.") var id: ULID
    @Input("The card, as the card form answered it.", .length(1...255)) var paymentMethodID: String
    @Input("Keep the card for later lessons.") var savePaymentMethod = false
    @Prepared var card: ChosenCard?
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let (id, user) = (id, try context.userID())
        let booking = try await db.read { try Booking.find(id, $0) }
        guard let booking, booking.studentID == user else { throw Booking.notFound(id) }
        // One that is confirmed already is refused later, unless the call is a repeated one.
        guard booking.status == .pending else { return }
        card = try await ChosenCard.take(paymentMethodID, of: user, db, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        let user = try context.userID()
        var booking = try Booking.lock(id, bookedBy: user, tx)
        guard let card, booking.status == .pending else { throw Booking.notFound(id) }
        try MoneyPlan.requireIdle(id, tx)
        try card.store(isKept: savePaymentMethod, tx, context)
        try booking.pay(with: card.card.id, tx, context)
        return try BookingView.of(booking, tx)
    }

    func afterJobs(_ output: BookingView, _ db: Snapshot, _ context: Context) throws -> BookingView {
        try BookingView.again(output, db)
    }
}

/// Replaces the card of a booking whose payment failed or is missing.
struct ReplaceCard: Command {
    static let name = "booking_replace_card"
    static let summary = "Give another card for a booking whose payment is still missing."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.createBookings)
    static let bucket = RateBucket.financial
    static let route = Route.patch("bookings/:id/payment-method")
    static let action = "booking.replace_card"

    @Input("The booking's id.") var id: ULID
    @Input("The card, as the card form answered it.", .length(1...255)) var paymentMethodID: String
    @Input("Keep the card for later lessons.") var savePaymentMethod = false
    @Prepared var card: ChosenCard?
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        let (id, user) = (id, try context.userID())
        let booking = try await db.read { try Booking.find(id, $0) }
        guard let booking, booking.studentID == user else { throw Booking.notFound(id) }
        guard booking.lacksPayment else { return }
        card = try await ChosenCard.take(paymentMethodID, of: user, db, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        let user = try context.userID()
        let booking = try Booking.lock(id, bookedBy: user, tx)
        guard let card, booking.lacksPayment else { throw Booking.needsNoPayment }
        try MoneyPlan.requireIdle(id, tx)
        try card.store(isKept: savePaymentMethod, tx, context)
        try booking.payment(tx).write("payment_method_id = \(card.card.id)", tx, context)
        try tx.audit("booking.payment_method", booking.subject)
        return try BookingView.of(booking, tx)
    }
}

/// Asks the bank again.
struct RetryPayment: Command {
    static let name = "booking_retry_payment"
    static let summary = "Try the card of a booking again after it was refused."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.createBookings)
    static let bucket = RateBucket.financial
    static let route = Route.post("bookings/:id/retry-payment")
    static let action = "booking.retry_payment"

    @Input("The booking's id.") var id: ULID
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = BookingView

    func run(_ tx: Transaction, _ context: Context) throws -> BookingView {
        let user = try context.userID()
        var booking = try Booking.lock(id, bookedBy: user, tx)
        guard booking.lacksPayment else { throw Booking.needsNoPayment }
        try MoneyPlan.requireIdle(id, tx)
        let payment = try booking.payment(tx)
        guard payment.methodID != nil else {
            throw Failure(
                .conflict, "The booking has no card yet.",
                hint: "POST /api/v1/bookings/{id}/confirm-payment gives it one.",
                reason: "payment_method_required")
        }
        try booking.requireAhead(context.now)
        // A confirmed lesson has its time; a pending one may have lost it meanwhile.
        if booking.status == .pending { try booking.requireTime(tx) }
        try booking.authorize(payment, .authRetryAttempted, tx, context)
        return try BookingView.of(booking, tx)
    }

    func afterJobs(_ output: BookingView, _ db: Snapshot, _ context: Context) throws -> BookingView {
        try BookingView.again(output, db)
    }
}

extension Booking {
    /// It is going to take place, and nobody has paid for it.
    fileprivate var lacksPayment: Bool {
        (status == .pending || status == .confirmed) && paymentStatus == .methodRequired
    }

    fileprivate static let needsNoPayment = Failure(
        .conflict, "The booking needs no other card at present.", reason: "payment_not_required")
}
