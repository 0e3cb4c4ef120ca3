import JSON
import Kernel
import Storage

/// A lesson on its way to another time (domain specification §2.5).
struct LessonMove {
    /// What becomes of the payment.
    private enum Money {
        /// A student moves it less than a day ahead: the price is taken now and held
        /// with the old row, whatever becomes of the new one.
        case lock
        /// The new row takes the payment over as it is.
        case handOver
        /// The new row is paid for by itself, with this card; the old one is released.
        case anew(String)
    }

    /// For how long a card's bank keeps an authorization.
    private static let authorizationLife = Duration.seconds(7 * 86_400)

    private var old: Booking
    private let payment: BookingPayment?
    private let side: CancelledBy
    private let user: ULID

    /// - Throws: ``Kernel/Failure/Code/conflict`` for a lesson that cannot be moved now.
    init(_ booking: Booking, by user: ULID, _ tx: Transaction, _ context: Context) throws {
        old = booking
        payment = try BookingPayment.of(booking.id, tx)
        (side, self.user) = (booking.side(of: user), user)
        func refuse(_ isRefused: Bool, _ message: String, _ reason: String) throws {
            if isRefused { throw Failure(.conflict, message, reason: reason) }
        }
        try refuse(
            booking.status != .pending && booking.status != .confirmed,
            "A booking that is \(booking.status.rawValue) cannot be moved.", "booking_not_reschedulable")
        try refuse(
            booking.paymentStatus == .locked, "The price of the lesson is held; it cannot be moved again.",
            "reschedule_locked")
        try refuse(
            booking.remaining(context.now) < CancellationRow.halfDay,
            "A lesson can be moved until 12 hours before it begins.", "reschedule_window_closed")
        try refuse(
            booking.lateRescheduleUsed, "The lesson was moved at the last moment before; it stays now.",
            "reschedule_limit_reached")
        try refuse(
            booking.paymentStatus == .manualReview, "Somebody is looking at the payment of the lesson.",
            "reschedule_under_review")
        try MoneyPlan.requireIdle(booking.id, tx)
    }

    /// Less than a day ahead, by the student: the move that a lock is for.
    private func isLate(_ now: Instant) -> Bool {
        side == .student && old.remaining(now) < CancellationRow.day
    }

    /// - Returns: the new row's id.
    mutating func perform(
        date: CalendarDay, startTime: ClockTime, minutes: Int?, service: ULID?, _ tx: Transaction,
        _ context: Context
    ) throws -> ULID {
        let request = try request(date, startTime, minutes ?? old.durationMinutes, service, tx)
        var lesson = try BookingChecks.pass(request, tx, context)
        if lesson.service.id == old.serviceID {
            // A price that changed meanwhile is for new bookings.
            lesson.service.hourlyRateCents = old.hourlyRateCents
            lesson.priceCents = LessonPrice.base(
                hourlyRateCents: old.hourlyRateCents, minutes: request.minutes)
        }
        let money = try money(for: lesson, tx, context)
        let wasConfirmed = old.status == .confirmed
        try old.move(to: .cancelled, by: user, reason: "Rescheduled", tx, context)
        var new = try lesson.insert(context.newID(), setupIntent: nil, tx, context)
        try link(&new, money, tx, context)
        if wasConfirmed {
            try new.requireTime(tx)
            try new.move(to: .confirmed, tx, context)
        }
        try settle(money, &new, tx, context)
        try new.tellBoth(
            "booking.rescheduled", "A lesson was moved",
            "\(old.occasion) was moved to \(new.occasion(after: old)).", in: .bookingRescheduled, tx, context)
        return new.id
    }

    /// The same lesson at another time.
    private func request(
        _ date: CalendarDay, _ startTime: ClockTime, _ minutes: Int, _ service: ULID?, _ tx: Transaction
    ) throws -> LessonRequest {
        guard let service = service ?? old.serviceID,
            let details: BookingDetails = try tx.one(
                "SELECT \(BookingDetails.columns) FROM \(BookingDetails.tables) WHERE b.id = \(old.id)")
        else {
            throw Failure(
                .conflict, "The booking names no service.", hint: "Give instructor_service_id.",
                reason: "booking_not_reschedulable")
        }
        return LessonRequest(
            studentID: old.studentID, instructorID: old.instructorID, serviceID: service, date: date,
            startTime: startTime, minutes: minutes,
            place: LessonPlace(
                old.location, address: details.address, meeting: details.meetingLocation,
                latitude: details.latitude, longitude: details.longitude, placeID: details.placeID),
            timezone: old.zone, note: details.studentNote, replacing: old.id)
    }

    private func money(for lesson: BookableLesson, _ tx: Transaction, _ context: Context) throws -> Money {
        let isSamePrice = lesson.priceCents == old.priceCents
        switch old.paymentStatus {
        case .authorized, .scheduled:
            if isLate(context.now) {
                // What is held is the price of the lesson as it was.
                guard isSamePrice else {
                    throw Failure(
                        .conflict, "Less than a day ahead a lesson can only be moved at the same price.",
                        hint: "Keep its length and service.", reason: "reschedule_price_changed")
                }
                return .lock
            }
            if old.paymentStatus == .scheduled || isSamePrice && lasts(until: lesson.time.end) {
                return .handOver
            }
            guard let card = payment?.methodID else { return .handOver }
            return .anew(card)
        default:
            let card: String? = try tx.value(
                """
                SELECT stripe_payment_method_id FROM payment_methods WHERE user_id = \(old.studentID)
                AND is_default
                """)
            guard let card else {
                throw Failure(
                    .conflict, "The lesson is not paid for, and there is no default card to pay the new one.",
                    hint: "Add a payment method first.", reason: "payment_method_required_for_reschedule")
            }
            return .anew(card)
        }
    }

    /// Whether the authorization is still good when the new lesson is captured, a day after its end.
    private func lasts(until end: Instant) -> Bool {
        guard payment?.intentID != nil, let since = payment?.authSucceededAt else { return true }
        return end + CancellationRow.day <= since + Self.authorizationLife
    }

    private mutating func link(
        _ new: inout Booking, _ money: Money, _ tx: Transaction, _ context: Context
    ) throws {
        // Only a student's move says something about when the lesson should have been paid.
        new.originalLesson = side == .student ? old.start : nil
        if case .lock = money { new.hasLockedFunds = true }
        new.lateRescheduleUsed = isLate(context.now)
        new.rescheduleCount = old.rescheduleCount + 1
        (new.rescheduledFrom, old.rescheduledTo) = (old.id, new.id)
        try tx.run(
            """
            UPDATE bookings SET rescheduled_from_booking_id = \(old.id), \
            reschedule_count = \(new.rescheduleCount), late_reschedule_used = \(new.lateRescheduleUsed), \
            has_locked_funds = \(new.hasLockedFunds), original_lesson_datetime = \(new.originalLesson)
            WHERE id = \(new.id)
            """)
        try tx.run("UPDATE bookings SET rescheduled_to_booking_id = \(new.id) WHERE id = \(old.id)")
        try tx.audit(
            "booking.update", new.subject,
            changes: changes(
                from: ["rescheduled_from_booking_id": .null],
                to: ["rescheduled_from_booking_id": .string(old.id.description)]),
            metadata: ["legacy_action": "reschedule"])
    }

    private mutating func settle(
        _ money: Money, _ new: inout Booking, _ tx: Transaction, _ context: Context
    ) throws {
        switch money {
        case .lock:
            try new.pay(.locked, tx, context)
            try payment?.write("auth_scheduled_for = NULL", tx, context)
            try MoneyPlan.start(.lock, lockSteps, &old, tx, context)
        case .handOver: try handOver(to: &new, tx, context)
        case .anew(let card):
            try Credit.release(old.id, of: old.studentID, tx, context)
            try MoneyPlan.start(
                .studentCancelFree, payment?.intentID == nil ? [] : [.init(.cancel, "cancel_\(old.id)")],
                &old, tx, context)
            try new.pay(with: card, tx, context)
        }
    }

    private var lockSteps: [MoneyPlan.Step] {
        var steps: [MoneyPlan.Step] = []
        if old.paymentStatus == .scheduled {
            steps.append(.init(.authorize, "auth_\(old.id)_\((payment?.authFailureCount ?? 0) + 1)"))
        }
        return steps + [
            .init(.capture, "lock_capture_\(old.id)"), .init(.reverse, "lock_reverse_\(old.id)"),
        ]
    }

    /// The payment, its row at the provider and the credits set aside are the new lesson's now.
    private mutating func handOver(to new: inout Booking, _ tx: Transaction, _ context: Context) throws {
        try tx.run("DELETE FROM booking_payments WHERE booking_id = \(new.id)")
        try tx.run("UPDATE booking_payments SET booking_id = \(new.id) WHERE booking_id = \(old.id)")
        try tx.run("UPDATE payment_intents SET booking_id = \(new.id) WHERE booking_id = \(old.id)")
        try Credit.carry(from: old.id, to: new.id, of: old.studentID, tx)
        if old.paymentStatus == .authorized {
            try new.pay(.authorized, tx, context)
        } else if let card = payment?.methodID {
            try new.pay(with: card, tx, context)
        }
        try old.pay(.settled, outcome: .studentCancelFree, tx, context)
    }
}

extension Booking {
    /// "2026-11-24 at 10:00", with the name when it is another lesson than before.
    fileprivate func occasion(after old: Booking) -> String {
        let local = LocalZone(zone).local(start)
        let time = "\(local.day) at \(ClockTime(minute: local.minute).description.dropLast(3))"
        return serviceName == old.serviceName ? time : "\(time) (\(serviceName))"
    }
}
