import JSON
package import Kernel
package import Storage

/// What instructors earn for instructors whom they brought (domain specification §3.5).
package enum InstructorReferral {
    /// Called when an instructor completed a lesson: at the first, a payout for whoever
    /// brought them and can be paid, and the job that makes it. Repeating it changes nothing.
    ///
    /// - Returns: the payout's id; nil when there is none or it was there before.
    @discardableResult
    package static func firstLessonCompleted(
        instructor: ULID, booking: ULID, _ tx: Transaction, _ context: Context
    ) throws -> ULID? {
        guard let attribution = try ReferralAttribution.of(referred: instructor, tx),
            try !Booking.completedAnother(than: booking, of: "instructor_id = \(instructor)", tx),
            try InstructorProfile.canBePaid(attribution.referrer, tx)
        else { return nil }
        let rules = try ReferralConfig.current(tx)
        let isFounding = try FoundingPlaces.remaining(tx) > 0
        let amount = isFounding ? rules.instructorFoundingBonusCents : rules.instructorAmountCents
        let id = context.newID()
        let added = try tx.run(
            """
            INSERT INTO instructor_referral_payouts (id, referrer_user_id, referred_instructor_id, \
            triggering_booking_id, amount_cents, was_founding_bonus, stripe_transfer_status, \
            idempotency_key, created_at, updated_at)
            VALUES (\(id), \(attribution.referrer), \(instructor), \(booking), \(amount), \(isFounding), \
            'pending', \("instructor_referral_\(instructor)"), \(context.now), \(context.now))
            ON CONFLICT (referred_instructor_id) DO NOTHING
            """)
        guard added.affected == 1 else { return nil }
        try tx.audit(
            "referral.payout_create", Subject("referral_payout", id.description),
            changes: changes(from: [:], to: ["status": "pending", "amount_cents": .int(amount)]))
        try tx.enqueue(ProcessReferralPayout(payout: id))
        return id
    }
}

extension InstructorReferralPayout {
    /// Writes down how a transfer ended. A payout that another attempt completed stays so.
    package func apply(_ outcome: TransferPort.Outcome, _ tx: Transaction, _ context: Context) throws {
        guard let row = try Self.lock(id, tx), row.status == .pending else { return }
        let now = context.environment.now()
        let next: PayoutStatus
        switch outcome {
        case .completed(let transfer):
            next = .completed
            try Ledger.post(
                [.init(.referralPayout, amountCents)], .init(instructor: referrer),
                key: "instructor_referral_\(id)", reference: transfer, tx, context)
            try tx.run(
                """
                UPDATE instructor_referral_payouts SET stripe_transfer_status = 'completed', \
                stripe_transfer_id = \(transfer), transferred_at = \(now), failure_reason = NULL, \
                updated_at = \(now) WHERE id = \(id)
                """)
        case .refused(let reason):
            next = .failed
            try tx.run(
                """
                UPDATE instructor_referral_payouts SET stripe_transfer_status = 'failed', \
                failed_at = COALESCE(failed_at, \(now)), failure_reason = \(Self.shortened(reason)), \
                updated_at = \(now) WHERE id = \(id)
                """)
        case .pending(let reason):
            try tx.run(
                """
                UPDATE instructor_referral_payouts SET failure_reason = \(Self.shortened(reason)), \
                updated_at = \(now) WHERE id = \(id)
                """)
            return
        }
        try tx.audit(
            "referral.payout_\(next.rawValue)", subject,
            changes: changes(from: ["status": "pending"], to: ["status": .string(next.rawValue)]),
            status: next == .failed ? .failed : .success)
    }

    private static func shortened(_ reason: String) -> String {
        String(String.UnicodeScalarView(reason.unicodeScalars.prefix(maximumReasonCharacters)))
    }

    /// Enqueues payouts that wait for longer than `age`.
    /// - Returns: how many.
    package static func enqueuePending(
        olderThan age: Duration, limit: Int, _ tx: Transaction, _ context: Context
    ) throws -> Int {
        let ids: [ULID] = try tx.values(
            """
            SELECT id FROM instructor_referral_payouts
            WHERE stripe_transfer_status = 'pending' AND updated_at < \(context.now - age)
            ORDER BY updated_at LIMIT \(limit)
            """)
        return try ids.count { try tx.enqueue(ProcessReferralPayout(payout: $0)) }
    }

    /// Gives those that failed first in the last `period` another attempt.
    /// - Returns: how many.
    package static func retryFailed(
        since period: Duration, limit: Int, _ tx: Transaction, _ context: Context
    ) throws -> Int {
        let again: [InstructorReferralPayout] = try tx.all(
            """
            WITH failed AS MATERIALIZED (SELECT id FROM instructor_referral_payouts
            WHERE stripe_transfer_status = 'failed' AND failed_at >= \(context.now - period)
            ORDER BY updated_at LIMIT \(limit) \(.skipLocked))
            UPDATE instructor_referral_payouts SET stripe_transfer_status = 'pending', \
            transfer_round = transfer_round + 1, updated_at = \(context.now)
            WHERE id IN (SELECT id FROM failed) RETURNING \(columns)
            """)
        for payout in again {
            try tx.audit(
                "referral.payout_retry", payout.subject,
                changes: changes(from: ["status": "failed"], to: ["status": "pending"]))
            try tx.enqueue(ProcessReferralPayout(payout: payout.id))
        }
        return again.count
    }
}
