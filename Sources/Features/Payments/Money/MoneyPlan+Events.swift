import Kernel

// Which events the steps of a plan leave in a payment's history.
extension MoneyPlan {
    func captured(_ booking: Booking) -> PaymentEvent {
        switch kind {
        case .recapture: .reauthAndCaptureSuccess
        case .studentCancelCredit: .lateCancellationCaptured
        case .studentCancelSplit: .capturedLastMinuteCancel
        default: .paymentCaptured
        }
    }

    var reversed: PaymentEvent? {
        switch kind {
        case .studentCancelCredit: .transferReversedLateCancel
        case .studentCancelSplit: .transferReversedLastMinuteCancel
        case .disputeReverse: .disputeTransferReversed
        default: nil
        }
    }

    var paidOut: PaymentEvent? {
        switch kind {
        case .studentCancelSplit: .payoutCreatedLastMinuteCancel
        case .escalate: .captureFailurePaid
        case .disputeRestore: .disputePayoutRestored
        default: nil
        }
    }

    var refundEvents: (done: PaymentEvent, failed: PaymentEvent)? {
        switch kind {
        case .instructorCancelRefund, .lockRefund: (.instructorCancelRefunded, .instructorCancelRefundFailed)
        case .instructorNoShowRefund: (.noShowRefunded, .noShowRefundFailed)
        case .adminRefund: (.adminRefunded, .adminRefundFailed)
        default: nil
        }
    }

    func failed(_ step: MoneyStepKind, _ problem: PaymentProblem, _ booking: Booking) -> PaymentEvent {
        switch (kind, step) {
        case (.lock, _): return .lockActivationFailed
        case (.recapture, .authorize), (.recapture, .capture): return .reauthAndCaptureFailed
        case (.studentCancelCredit, .capture):
            return booking.isGaming ? .captureFailedGamingCancel : .captureFailedLateCancel
        case (.studentCancelSplit, .capture): return .captureFailedLastMinuteCancel
        case (.studentCancelSplit, .payout): return .payoutFailedLastMinuteCancel
        case (.escalate, _): return .captureFailureEscalated
        case (.lockPayout, _), (.lockSplit, _): return .lockPayoutFailed
        case (_, .refund): return refundEvents?.failed ?? .adminRefundFailed
        case (_, .reverse), (_, .reverseTopUp), (_, .reversePayout): return .transferReversalFailed
        case (_, .capture):
            return problem.kind == .canceled
                ? .captureFailedExpired : problem.isOfCard ? .captureFailedCard : .captureFailed
        default: return .payoutFailed
        }
    }
}
