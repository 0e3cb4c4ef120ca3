package import JSON
package import Kernel
package import Storage

/// The values of `payment_events.event_type` (domain specification §1.7, and those
/// of ours for what was not recorded there).
package enum PaymentEvent: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case setupIntentCreated = "setup_intent_created", authScheduled = "auth_scheduled"
    case creditsApplied = "credits_applied", creditsReleased = "credits_released"
    case creditsForfeited = "credits_forfeited"

    case authImmediate = "auth_immediate", authSucceeded = "auth_succeeded"
    case authSucceededCreditsOnly = "auth_succeeded_credits_only", authFailed = "auth_failed"
    case authRetryAttempted = "auth_retry_attempted", authRetrySucceeded = "auth_retry_succeeded"
    case authRetryFailed = "auth_retry_failed", authExpired = "auth_expired"
    case authReleased = "auth_released", authAbandoned = "auth_abandoned"
    case firstFailureMailSent = "t24_first_failure_email_sent", finalWarningSent = "final_warning_sent"

    case autoCompleted = "auto_completed", instructorMarkedComplete = "instructor_marked_complete"
    case paymentCaptured = "payment_captured", topUpTransferCreated = "top_up_transfer_created"
    case captureFailed = "capture_failed", captureFailedExpired = "capture_failed_expired"
    case captureFailedCard = "capture_failed_card", captureAlreadyDone = "capture_already_done"
    case captureSkippedNoIntent = "capture_skipped_no_intent"
    case captureFailureEscalated = "capture_failure_escalated"
    case captureFailurePaid = "capture_failure_instructor_paid"
    case reauthAndCaptureSuccess = "reauth_and_capture_success"
    case reauthAndCaptureFailed = "reauth_and_capture_failed"

    case cancelledBeforePayment = "cancelled_before_payment"
    case lateCancellationCaptured = "late_cancellation_captured"
    case captureFailedLateCancel = "capture_failed_late_cancel"
    case transferReversedLateCancel = "transfer_reversed_late_cancel"
    case creditCreatedLateCancel = "credit_created_late_cancel"
    case capturedLastMinuteCancel = "captured_last_minute_cancel"
    case captureFailedLastMinuteCancel = "capture_failed_last_minute_cancel"
    case transferReversedLastMinuteCancel = "transfer_reversed_last_minute_cancel"
    case payoutCreatedLastMinuteCancel = "payout_created_last_minute_cancel"
    case payoutFailedLastMinuteCancel = "payout_failed_last_minute_cancel"
    case creditCreatedLastMinuteCancel = "credit_created_last_minute_cancel"
    case captureFailedGamingCancel = "capture_failed_gaming_reschedule_cancel"
    case creditCreatedGamingCancel = "credit_created_gaming_reschedule_cancel"
    case transferReversalFailed = "transfer_reversal_failed"
    case instructorCancelled = "instructor_cancelled"
    case instructorCancelRefunded = "instructor_cancel_refunded"
    case instructorCancelRefundFailed = "instructor_cancel_refund_failed"

    case lockActivated = "lock_activated", lockActivationFailed = "lock_activation_failed"
    case lockResolved = "lock_resolved", lockPayoutFailed = "lock_payout_failed"

    case noShowReported = "no_show_reported", noShowDisputed = "no_show_disputed"
    case noShowResolved = "no_show_resolved", completionDisputed = "completion_disputed"
    case noShowRefunded = "no_show_refunded", noShowRefundFailed = "no_show_refund_failed"
    case disputeOpened = "dispute_opened", disputeClosed = "dispute_closed"
    case disputeTransferReversed = "dispute_transfer_reversed", disputePayoutRestored =
        "dispute_payout_restored"
    case negativeBalanceApplied = "negative_balance_applied"
    case negativeBalanceCleared = "negative_balance_cleared"
    case adminRefunded = "admin_refunded", adminRefundFailed = "admin_refund_failed"
    case outsideRefund = "outside_refund", payoutFailed = "payout_failed", stepUnknown =
        "step_outcome_unknown"

    /// The governance action of an event that is a true outcome of an authorization, a
    /// capture or a refund; others are history only (domain specification §6.3).
    package var audited: (action: String, status: AuditStatus)? {
        switch self {
        case .authSucceeded, .authSucceededCreditsOnly, .authRetrySucceeded: ("payment.authorize", .success)
        case .authFailed, .authRetryFailed: ("payment.authorize", .failed)
        case .paymentCaptured, .lateCancellationCaptured, .capturedLastMinuteCancel, .captureAlreadyDone,
            .reauthAndCaptureSuccess:
            ("payment.capture", .success)
        case .captureFailed, .captureFailedExpired, .captureFailedCard, .captureFailedLateCancel,
            .captureFailedLastMinuteCancel, .captureFailedGamingCancel, .captureFailureEscalated,
            .reauthAndCaptureFailed:
            ("payment.capture", .failed)
        case .instructorCancelRefunded, .noShowRefunded, .adminRefunded, .outsideRefund:
            ("payment.refund", .success)
        case .instructorCancelRefundFailed, .noShowRefundFailed, .adminRefundFailed:
            ("payment.refund", .failed)
        default: nil
        }
    }
}

extension Transaction {
    /// Writes what happened to a booking's payment into its history, and into the
    /// audit log when it is an outcome; once for each `source`.
    package func note(
        _ event: PaymentEvent, _ booking: ULID, source: String, _ data: JSONObject = [:], error: String? = nil
    ) throws {
        let context = try unit.context
        let added = try run(
            """
            INSERT INTO payment_events (id, booking_id, event_type, event_data, source_event, created_at)
            VALUES (\(context.newID()), \(booking), \(event), \(JSONValue.object(data).text), \(source), \
            \(context.now)) ON CONFLICT DO NOTHING
            """)
        guard added.affected == 1, let (action, status) = event.audited else { return }
        try audit(
            action, Subject("booking", booking.description), status: status,
            metadata: data.merging(["event": .string(event.rawValue)]), error: error)
    }
}
