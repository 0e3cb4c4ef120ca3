import JSON
package import Kernel
package import Storage

extension NoShow {
    /// How a report ends (`booking_no_shows.resolution`).
    package enum Resolution: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
        /// Nobody disputed it in time.
        case confirmedNoDispute = "confirmed_no_dispute"
        case confirmedAfterReview = "confirmed_after_review"
        /// The lesson took place.
        case disputeUpheld = "dispute_upheld"
        /// The report is taken back: everything is as it was.
        case cancelled
    }

    /// Ends the report of a booking that is locked, and sets the money going.
    ///
    /// - Parameter user: who decides; nil for the job.
    /// - Throws: ``Kernel/Failure/Code/conflict`` without an open report, or while the
    ///   payment is being changed or disputed.
    package static func resolve(
        _ booking: inout Booking, _ resolution: Resolution, by user: ULID?, notes: String?, _ tx: Transaction,
        _ context: Context
    ) throws {
        guard let report = try of(booking.id, tx) else {
            throw Failure(.conflict, "No no-show was reported.", reason: "no_show_not_reported")
        }
        try report.requireOpen()
        try booking.requireNoCardDispute()
        try MoneyPlan.requireIdle(booking.id, tx)
        try tx.run(
            """
            UPDATE booking_no_shows SET resolved_at = \(context.now), resolution = \(resolution), notes = \(notes)
            WHERE booking_id = \(booking.id)
            """)
        try tx.note(
            .noShowResolved, booking.id, source: "no_show",
            ["type": .string(report.type.rawValue), "resolution": .string(resolution.rawValue)])
        try tx.audit(
            "booking.no_show_resolved", booking.subject,
            changes: changes(from: [:], to: ["no_show_resolution": .string(resolution.rawValue)]),
            metadata: ["resolved_by": user.map { .string($0.description) } ?? .null])
        switch resolution {
        case .confirmedNoDispute, .confirmedAfterReview: try report.confirm(&booking, tx, context)
        case .disputeUpheld: try report.uphold(&booking, tx, context)
        case .cancelled: try report.withdraw(&booking, tx, context)
        }
        try booking.tellBoth(
            "booking.no_show_resolved", "A no-show is resolved",
            "\(booking.occasion): the report of a no-show is resolved (\(resolution.words)).", tx, context)
    }

    /// Whoever did not come loses: a student the price, an instructor the lesson.
    private func confirm(_ booking: inout Booking, _ tx: Transaction, _ context: Context) throws {
        let payment = try BookingPayment.of(booking.id, tx)
        switch type {
        case .instructor where previousPaymentStatus == .locked:
            try LockedLesson.resolve(.lockRefund, for: booking, outcome: .instructorNoShow, tx, context)
        case .student where previousPaymentStatus == .locked:
            try LockedLesson.resolve(.lockPayout, for: booking, outcome: .studentNoShow, tx, context)
        case .instructor:
            let left = (payment?.capturedCents ?? 0) - (payment?.refundedCents ?? 0)
            if left > 0 {
                try MoneyPlan.start(
                    .instructorNoShowRefund,
                    [
                        .init(.reverseTopUp, "reverse_top_up_\(booking.id)"),
                        .init(.refund, "refund_instructor_noshow_\(booking.id)", cents: left),
                    ], &booking, tx, context)
            } else if payment?.capturedAt == nil {
                try MoneyPlan.start(
                    .instructorNoShow, [.init(.cancel, "cancel_instructor_noshow_\(booking.id)")], &booking,
                    tx, context)
            }
        case .student:
            try capture(
                .studentNoShow, "capture_student_noshow_\(booking.id)", .studentNoShow, &booking, payment, tx,
                context)
        }
    }

    /// The lesson took place after all.
    private func uphold(_ booking: inout Booking, _ tx: Transaction, _ context: Context) throws {
        try booking.move(to: .completed, at: booking.completedAt ?? booking.end, tx, context)
        if previousPaymentStatus == .locked {
            return try LockedLesson.resolve(.lockPayout, for: booking, tx, context)
        }
        try capture(
            .capture, "capture_\(booking.id)", .lessonCompletedFullPayout, &booking,
            BookingPayment.of(booking.id, tx), tx, context)
    }

    /// Takes the price when it was authorized, and pays it out. One that was never
    /// authorized stays under review: there is nothing to take.
    private func capture(
        _ kind: MoneyPlanKind, _ key: String, _ outcome: SettlementOutcome, _ booking: inout Booking,
        _ payment: BookingPayment?, _ tx: Transaction, _ context: Context
    ) throws {
        if payment?.capturedAt != nil {
            try booking.pay(.settled, outcome: outcome, tx, context)
        } else if let payment, payment.authSucceededAt != nil, payment.price != nil {
            try MoneyPlan.start(kind, booking.captureSteps(payment, key: key), &booking, tx, context)
        } else {
            try tx.note(.captureSkippedNoIntent, booking.id, source: "no_show")
        }
    }

    /// Everything is as it was before the report; what the provider says of the
    /// payment decides (domain specification §2.5).
    private func withdraw(_ booking: inout Booking, _ tx: Transaction, _ context: Context) throws {
        if let completed = booking.completedAt {
            try booking.move(to: .completed, at: completed, tx, context)
        } else {
            try booking.move(to: .confirmed, tx, context)
        }
        guard let before = previousPaymentStatus, booking.paymentStatus == .manualReview else { return }
        let restored = try paymentStatus(booking, before: before, tx)
        try booking.pay(
            restored, outcome: restored == .settled ? booking.settlementOutcome : nil, tx, context)
    }

    private func paymentStatus(_ booking: Booking, before: PaymentStatus, _ tx: Transaction) throws
        -> PaymentStatus
    {
        guard before != .locked, before != .manualReview else { return before }
        let intent: PaymentIntentStatus? = try tx.value(
            """
            SELECT i.status FROM payment_intents i JOIN booking_payments p
            ON p.payment_intent_id = i.stripe_payment_intent_id WHERE p.booking_id = \(booking.id)
            """)
        switch intent {
        case .succeeded, .partiallyRefunded, .refunded: return .settled
        case .requiresCapture: return .authorized
        // Credits paid for all of it: there is no payment at the provider.
        case nil where before == .authorized || before == .settled: return before
        default: return .methodRequired
        }
    }
}

extension NoShow.Resolution {
    fileprivate var words: String { rawValue.split(separator: "_").joined(separator: " ") }
}
