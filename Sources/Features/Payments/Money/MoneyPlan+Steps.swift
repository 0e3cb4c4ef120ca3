import JSON
import Kernel
import Storage

/// What a step needs before it can be sent.
enum MoneyPreparation {
    case send(PaymentRequest)
    /// There is nothing to ask for.
    case skip
    /// It cannot be asked for; nothing was sent.
    case impossible(PaymentProblem)
}

extension MoneyPlan {
    /// The call of a step, from what the booking's payment knows by now.
    func prepare(
        _ step: MoneyStepKind, cents: Int?, _ booking: inout Booking, _ tx: Transaction, _ context: Context
    ) throws -> MoneyPreparation {
        guard let payment = try BookingPayment.of(booking.id, tx) else {
            throw Failure(.internal, "The booking \(booking.id) has no payment row.")
        }
        switch step {
        case .authorize: return try authorization(booking, payment, tx, context)
        case .capture:
            if let intent = payment.intentID { return .send(.capture(intent: intent)) }
            // Credits paid for all of it.
            guard let price = payment.price, price.studentPay == 0 else {
                return .impossible(.init(.notFound))
            }
            try Ledger.post(price.charged, .init(booking), key: "charge_\(booking.id)", tx, context)
            try Credit.spend(booking.id, of: booking.studentID, tx, context)
            try payment.write("captured_at = \(context.now)", tx, context)
            return .skip
        case .cancel: return payment.intentID.map { .send(.cancel(intent: $0)) } ?? .skip
        case .refund:
            guard let intent = payment.intentID, let cents else { return .impossible(.init(.notFound)) }
            return .send(
                .refund(
                    .init(
                        intent: intent, amount: cents,
                        reason: outcome == .disputeLost ? .duplicate : .requestedByCustomer,
                        reversesTransfer: try isTransferWhole(payment, tx))))
        case .reverse:
            guard let transfer = payment.transferID, payment.transferredCents > 0 else { return .skip }
            return .send(.reverse(transfer: transfer, amount: cents))
        case .reverseTopUp:
            guard let transfer = payment.topUpTransferID, payment.transferredCents > 0 else { return .skip }
            return .send(.reverse(transfer: transfer, amount: cents))
        case .reversePayout:
            guard let transfer = payment.payoutTransferID, payment.transferredCents > 0 else { return .skip }
            return .send(.reverse(transfer: transfer, amount: cents))
        case .topUp, .payout:
            let due = step == .topUp ? payment.price?.topUp ?? 0 : cents ?? 0
            guard due > 0 else { return .skip }
            guard let account = try ConnectedAccount.of(instructor: booking.instructorID, tx), account.isReady
            else { return .impossible(.init(.accountNotReady)) }
            return .send(
                .transfer(
                    .init(
                        amount: due, destination: account.stripeID, group: "booking:\(booking.id)",
                        metadata: ["booking_id": booking.id.description, "kind": step.rawValue])))
        }
    }

    /// Whether the instructor has what the capture transferred: of what came back before
    /// nothing can be reversed, though other transfers may have followed it.
    private func isTransferWhole(_ payment: BookingPayment, _ tx: Transaction) throws -> Bool {
        guard let transfer = payment.transferID, payment.transferredCents > 0 else { return false }
        let reversed: Int? = try tx.value(
            """
            SELECT 1 FROM money_steps WHERE booking_id = \(payment.bookingID) AND kind = 'reverse'
            AND state = 'done' AND provider_id IS NOT NULL AND provider_id <> \(transfer) LIMIT 1
            """)
        return reversed == nil
    }

    /// Fixes the price, sets credits aside, and asks for the rest.
    private func authorization(
        _ booking: Booking, _ payment: BookingPayment, _ tx: Transaction, _ context: Context
    ) throws -> MoneyPreparation {
        try payment.write("auth_attempted_at = \(context.now)", tx, context)
        guard let account = try ConnectedAccount.of(instructor: booking.instructorID, tx), account.isReady
        else { return .impossible(.init(.accountNotReady)) }
        let price: LessonPrice
        if kind == .recapture, let fixed = payment.price {
            price = fixed
        } else {
            price = try fixPrice(booking, payment, tx, context)
        }
        guard price.studentPay > 0 else { return .skip }
        guard let method = payment.methodID,
            let customer: String = try tx.value(
                "SELECT stripe_customer_id FROM stripe_customers WHERE user_id = \(booking.studentID)")
        else { return .impossible(.init(.notFound)) }
        var metadata = price.metadata
        metadata["booking_id"] = booking.id.description
        metadata["student_id"] = booking.studentID.description
        metadata["instructor_id"] = booking.instructorID.description
        return .send(
            .authorize(
                .init(
                    booking: booking.id, amount: price.studentPay, customer: customer, paymentMethod: method,
                    destination: account.stripeID, transferAmount: price.transferAmount, isOffSession: true,
                    metadata: metadata)))
    }

    private func fixPrice(
        _ booking: Booking, _ payment: BookingPayment, _ tx: Transaction, _ context: Context
    ) throws -> LessonPrice {
        let config = try PricingConfig.current(tx)
        let commission = try CommissionTier.evaluate(
            instructor: booking.instructorID, isPricingUncompleted: booking.status != .completed, config, tx,
            context)
        // What an earlier attempt set aside is free again.
        try Credit.release(booking.id, of: booking.studentID, tx, context)
        let full = LessonPrice(
            base: booking.priceCents, available: booking.priceCents, commission: commission, config)
        var price = full
        price.credit = try Credit.reserve(
            booking.studentID, upTo: full.credit, for: booking.id, tx, context)
        if price.credit > 0 {
            try tx.note(
                .creditsApplied, booking.id, source: id.description, ["amount_cents": .int(price.credit)])
        }
        try payment.write(
            """
            base_cents = \(price.base), student_fee_cents = \(price.studentFee), \
            instructor_fee_cents = \(price.instructorFee), payout_cents = \(price.payout), \
            credit_cents = \(price.credit), student_pay_cents = \(price.studentPay), \
            application_fee_cents = \(price.applicationFee), commission_pct = \(price.commission.percent), \
            credits_reserved_cents = \(price.credit)
            """, tx, context)
        return price
    }

    /// What follows from a call that was done.
    func apply(
        _ call: MoneyCall, _ object: PaymentObject, _ booking: inout Booking, _ tx: Transaction,
        _ context: Context
    ) throws {
        guard let payment = try BookingPayment.of(booking.id, tx) else { return }
        let parties = Ledger.Parties(booking)
        func post(_ movements: [Ledger.Movement]) throws {
            try Ledger.post(movements, parties, key: call.key, reference: object.id, tx, context)
        }
        switch call.kind {
        case .authorize:
            guard let price = payment.price else { return }
            try PaymentIntent.store(object, price, booking, tx, context)
            try payment.write(
                """
                payment_intent_id = \(object.id), auth_succeeded_at = \(context.now), auth_last_error = NULL
                """, tx, context)
        case .capture:
            guard let price = payment.price else { return }
            try post(price.charged + [.init(.instructorTransfer, price.transferAmount)])
            try Credit.spend(booking.id, of: booking.studentID, tx, context)
            try payment.write(
                """
                captured_at = \(context.now), captured_cents = \(price.studentPay), transfer_id = \(object.transfer), \
                transferred_cents = \(price.transferAmount), failed_step = NULL
                """, tx, context)
            try PaymentIntent.take(.succeeded, payment.intentID, tx, context)
            try tx.note(
                captured(booking), booking.id, source: call.key, ["amount_cents": .int(price.studentPay)])
        case .cancel:
            try PaymentIntent.take(.canceled, payment.intentID, tx, context)
            try tx.note(.authReleased, booking.id, source: call.key)
        case .refund: try applyRefund(call, object, booking, payment, tx, context)
        case .reverse, .reverseTopUp, .reversePayout:
            let price = payment.price
            let whole =
                switch call.kind {
                case .reverse: price?.transferAmount ?? 0
                case .reverseTopUp: price?.topUp ?? 0
                default: payment.transferredCents
                }
            let amount = object.amount ?? whole
            try post([.init(.transferReversal, amount)])
            try payment.write("transferred_cents = transferred_cents - \(amount)", tx, context)
            if let event = reversed {
                try tx.note(event, booking.id, source: call.key, ["amount_cents": .int(amount)])
            }
        case .topUp, .payout:
            guard case .transfer(let transfer) = call.request else { return }
            if kind == .escalate { try post([.init(.shareWithoutCharge, transfer.amount)]) }
            try post([.init(.instructorTransfer, transfer.amount)])
            let column: SQL = call.kind == .topUp ? "top_up_transfer_id" : "payout_transfer_id"
            try payment.write(
                "\(column) = \(object.id), transferred_cents = transferred_cents + \(transfer.amount)", tx,
                context)
            if let event = call.kind == .topUp ? .topUpTransferCreated : paidOut {
                try tx.note(event, booking.id, source: call.key, ["amount_cents": .int(transfer.amount)])
            }
        }
    }

    private func applyRefund(
        _ call: MoneyCall, _ object: PaymentObject, _ booking: Booking, _ payment: BookingPayment,
        _ tx: Transaction, _ context: Context
    ) throws {
        guard case .refund(let refund) = call.request, let price = payment.price else { return }
        let isFull = payment.refundedCents + refund.amount == payment.capturedCents
        // The provider says how much of the transfer came back; in proportion.
        let back =
            refund.reversesTransfer
            ? object.amountReturned
                ?? (price.transferAmount * refund.amount + price.studentPay / 2) / max(price.studentPay, 1)
            : 0
        let parties = Ledger.Parties(booking)
        try Ledger.post(
            [.init(.transferReversal, back)], parties, key: call.key, reference: object.id, tx, context)
        // Of a full refund nothing stays owed to the instructor, and credits come back as well.
        let credit = isFull ? price.credit : 0
        let owed = -(try Ledger.balances(booking: booking.id, tx)[.instructorPayable] ?? 0)
        let share = isFull ? owed : back
        try Ledger.post(
            [
                .init(.cardRefund, refund.amount), .init(.refundOfShare, share),
                .init(.refundOfFee, refund.amount + credit - share), .init(.creditReinstated, credit),
            ], parties, key: call.key, reference: object.id, tx, context)
        try Credit.issue(
            credit, to: booking.studentID, .refundReinstate, of: booking.id,
            reason: "Credits of a refunded lesson", tx, context)
        try payment.write(
            """
            refund_id = \(object.id), refunded_cents = refunded_cents + \(refund.amount), \
            transferred_cents = transferred_cents - \(back)
            """, tx, context)
        try PaymentIntent.refunded(
            payment.intentID, total: payment.refundedCents + refund.amount, tx, context)
        if let event = refundEvents?.done {
            try tx.note(
                event, booking.id, source: call.key,
                [
                    "amount_cents": .int(refund.amount), "refund_id": .string(object.id),
                    "stripe_reason": .string(refund.reason.rawValue), "initiated_by": try initiator(tx),
                ])
        }
    }

    /// Who asked for the plan; null for a job.
    func initiator(_ db: Snapshot) throws -> JSONValue {
        let user =
            try db.value("SELECT initiated_by FROM money_plans WHERE id = \(id)", as: String?.self) ?? nil
        return user.map { .string($0) } ?? .null
    }
}
