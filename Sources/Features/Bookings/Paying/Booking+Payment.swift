import JSON
package import Kernel
package import Storage

extension Booking {
    /// When a card is charged: so long before the lesson.
    static let authorizationLead = Duration.seconds(24 * 3_600)

    /// A booking of that student, locked.
    /// - Throws: ``Kernel/Failure/Code/notFound`` for somebody else's, exactly as for one that does not exist.
    package static func lock(_ id: ULID, bookedBy student: ULID, _ tx: Transaction) throws -> Booking {
        guard let booking = try lock(id, tx), booking.studentID == student else { throw notFound(id) }
        return booking
    }

    package static func notFound(_ id: ULID) -> Failure {
        Failure(.notFound, "There is no booking with the id \(id).", reason: "booking_not_found")
    }

    /// The payment row of a booking that is locked.
    func payment(_ tx: Transaction) throws -> BookingPayment {
        guard let payment = try BookingPayment.of(id, tx) else { throw Self.notFound(id) }
        return payment
    }

    /// Refuses when somebody else has the time by now. Until the end of the transaction
    /// nobody gets in between, for the instructor's bookings are confirmed one after another.
    func requireTime(_ tx: Transaction) throws {
        _ = try InstructorProfile.lock(user: instructorID, tx)
        let buffer = try BookedInstructor.find(instructorID, tx)?.buffer ?? .zero
        let scope = try Self.conflict(
            instructor: instructorID, buffer: buffer, student: studentID, start..<end, except: id, tx)
        if let scope { throw scope.failure }
    }

    /// Refuses once the lesson has begun.
    func requireAhead(_ now: Instant) throws {
        guard start <= now else { return }
        throw Failure(
            .conflict, "The lesson was to begin at \(start); it cannot be paid for any more.",
            hint: "Book another time.", reason: "lesson_has_begun")
    }

    /// Makes the payment of a pending lesson sure: now when it begins within a day, or
    /// was moved at the last moment; otherwise a day ahead, and the lesson takes place.
    mutating func pay(with card: String, _ tx: Transaction, _ context: Context) throws {
        try requireAhead(context.now)
        try requireTime(tx)
        let payment = try payment(tx)
        guard remaining(context.now) >= Self.authorizationLead, !isGaming else {
            try payment.write("payment_method_id = \(card), is_immediate = TRUE", tx, context)
            return try authorize(payment, .authImmediate, tx, context)
        }
        let due = start - Self.authorizationLead
        try payment.write("payment_method_id = \(card), auth_scheduled_for = \(due)", tx, context)
        try pay(.scheduled, tx, context)
        try tx.note(
            .authScheduled, id, source: context.requestID,
            ["scheduled_for": .string(due.description)])
        try confirm(tx, context)
    }

    /// Asks the bank now; what it says is known when the plan ends.
    mutating func authorize(
        _ payment: BookingPayment, _ event: PaymentEvent, _ tx: Transaction, _ context: Context
    ) throws {
        let key = "auth_\(id)_\(payment.authFailureCount + 1)"
        let plan = try MoneyPlan.start(.authorize, [.init(.authorize, key)], &self, tx, context)
        try tx.note(event, id, source: plan.description)
    }
}
