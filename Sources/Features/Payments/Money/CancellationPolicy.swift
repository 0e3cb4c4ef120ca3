import JSON
package import Kernel
package import Storage

/// Who cancels.
package enum CancelledBy: Sendable, Hashable {
    case student, instructor
}

/// What a cancellation does with the money: the table of the domain specification
/// §2.5, a row for each case.
///
/// Exactly 24 hours before the lesson counts as a day ahead, exactly 12 as half a day.
package enum CancellationRow: String, Sendable, Hashable, CaseIterable {
    /// Nothing was authorized yet.
    case beforePayment
    case byInstructor, byInstructorCaptured
    /// A student, a day ahead or more.
    case dayAhead
    /// The same of a lesson that was moved at the last moment before.
    case dayAheadGaming
    /// A student, half a day to a day ahead.
    case halfDayAhead
    /// A student, less than half a day ahead.
    case lastMinute
    /// A student, when the card should have been authorized and was not: half a day
    /// ahead nothing is charged, later somebody looks at it.
    case halfDayWithoutPayment, lastMinuteWithoutPayment
    /// The price is held; by whom and when.
    case lockedHalfDayAhead, lockedLastMinute, lockedByInstructor
    /// Somebody looks at the payment: the lesson is cancelled, the money stays with them.
    case underReview

    static let day = Duration.seconds(24 * 3_600)
    static let halfDay = Duration.seconds(12 * 3_600)

    package init(_ booking: Booking, _ payment: BookingPayment?, by who: CancelledBy, now: Instant) {
        let left = booking.remaining(now)
        guard booking.paymentStatus != .manualReview else {
            self = .underReview
            return
        }
        if booking.hasLockedFunds {
            self =
                who == .instructor
                ? .lockedByInstructor : left >= Self.halfDay ? .lockedHalfDayAhead : .lockedLastMinute
            return
        }
        let isAuthorized = booking.paymentStatus == .authorized
        let isCaptured = payment?.capturedAt != nil
        if !isAuthorized, !isCaptured {
            guard who == .student, booking.paymentStatus == .scheduled, left < Self.day else {
                self = .beforePayment
                return
            }
            self = left >= Self.halfDay ? .halfDayWithoutPayment : .lastMinuteWithoutPayment
            return
        }
        switch who {
        case .instructor: self = isCaptured ? .byInstructorCaptured : .byInstructor
        case .student:
            if left >= Self.day {
                self = booking.isGaming ? .dayAheadGaming : .dayAhead
            } else {
                self = left >= Self.halfDay ? .halfDayAhead : .lastMinute
            }
        }
    }
}

extension Booking {
    /// Cancels the booking, whose row is locked, and sets its money going. The status
    /// is CANCELLED at once; the payment is settled when the plan ends.
    ///
    /// - Throws: ``Kernel/Failure`` when it cannot be cancelled any more, or its payment is being changed.
    package mutating func cancel(
        by who: CancelledBy, user: ULID?, reason: String, _ tx: Transaction, _ context: Context
    ) throws {
        guard status == .pending || status == .confirmed else {
            throw Failure(
                .conflict, "A booking that is \(status.rawValue) cannot be cancelled.",
                reason: "booking_not_cancellable")
        }
        try MoneyPlan.requireIdle(id, tx)
        let payment = try BookingPayment.of(id, tx)
        let row = CancellationRow(self, payment, by: who, now: context.now)
        try move(to: .cancelled, by: user, reason: reason, tx, context)
        if who == .instructor {
            try tx.note(.instructorCancelled, id, source: "cancel", ["case": .string(row.rawValue)])
        }
        try settle(row, payment, by: who, tx, context)
    }

    private mutating func settle(
        _ row: CancellationRow, _ payment: BookingPayment?, by who: CancelledBy, _ tx: Transaction,
        _ context: Context
    ) throws {
        func plan(_ kind: MoneyPlanKind, _ steps: [MoneyPlan.Step]) throws {
            try MoneyPlan.start(kind, steps, &self, tx, context)
        }
        switch row {
        case .beforePayment, .halfDayWithoutPayment:
            try tx.note(.cancelledBeforePayment, id, source: "cancel")
            try plan(who == .student ? .studentCancelFree : .instructorCancel, [])
        case .lastMinuteWithoutPayment:
            try tx.note(.cancelledBeforePayment, id, source: "cancel")
            try pay(.manualReview, tx, context)
        case .dayAhead: try plan(.studentCancelFree, [.init(.cancel, "cancel_\(id)")])
        case .byInstructor: try plan(.instructorCancel, [.init(.cancel, "cancel_instructor_\(id)")])
        case .byInstructorCaptured:
            try plan(
                .instructorCancelRefund,
                [
                    .init(.reverseTopUp, "reverse_top_up_\(id)"),
                    .init(
                        .refund, "refund_instructor_cancel_\(id)",
                        cents: (payment?.capturedCents ?? 0) - (payment?.refundedCents ?? 0)),
                ])
        case .dayAheadGaming, .halfDayAhead:
            try plan(
                .studentCancelCredit,
                [.init(.capture, "capture_cancel_\(id)"), .init(.reverse, "reverse_\(id)")])
        case .lastMinute:
            try plan(
                .studentCancelSplit,
                [
                    .init(.capture, "capture_late_cancel_\(id)"), .init(.reverse, "reverse_lt12_\(id)"),
                    .init(.payout, "payout_lt12_\(id)", cents: payment?.price?.halfPayout),
                ])
        case .lockedHalfDayAhead: try LockedLesson.resolve(.lockCredit, for: self, tx, context)
        case .lockedLastMinute: try LockedLesson.resolve(.lockSplit, for: self, tx, context)
        case .lockedByInstructor: try LockedLesson.resolve(.lockRefund, for: self, tx, context)
        case .underReview: break
        }
    }
}
