import Features

/// What the domain specification says of one lesson's money (§2.5, §2.6), in plain
/// arithmetic: nothing of the product's own is used here but its enums.
struct MoneyModel: Sendable, Equatable {
    // What there is to pay.
    var base: Int
    /// Of the student's credits.
    var credit: Int
    var commissionPercent = 15

    var fee: Int { (base * 12 + 50) / 100 }
    var payout: Int { base - (base * commissionPercent + 50) / 100 }
    var charge: Int { base - credit + fee }

    // What became of it.
    var charged = 0
    var refunded = 0
    /// What the instructor has in the end.
    var earned = 0
    /// What the student has in credits in the end, of those before and those given.
    var credits: Int
    var status = BookingStatus.confirmed
    var payment = PaymentStatus.scheduled
    var outcome: SettlementOutcome?

    init(base: Int, creditsBefore: Int) {
        self.base = base
        credit = min(base, creditsBefore)
        credits = creditsBefore
    }

    mutating func authorized() { payment = .authorized }

    /// The card was refused: nothing is set aside.
    mutating func refused() { payment = .methodRequired }

    private mutating func settled(_ outcome: SettlementOutcome) {
        (payment, self.outcome) = (.settled, outcome)
    }

    private mutating func pay() {
        charged = charge
        credits -= credit
    }

    /// - Parameter hours: until the lesson, as a fraction of a microsecond would not fit: `.over`, exactly, or under.
    mutating func cancelledByStudent(_ left: Lead) {
        status = .cancelled
        guard payment == .authorized else { return settled(.studentCancelFree) }
        switch left {
        case .dayOrMore: settled(.studentCancelFree)
        case .halfDayOrMore:
            pay()
            credits += base
            settled(.studentCancelCredit)
        case .less:
            pay()
            credits += (base + 1) / 2
            earned = (payout + 1) / 2
            settled(.studentCancelSplit)
        }
    }

    mutating func cancelledByInstructor() {
        status = .cancelled
        settled(.instructorCancel)
    }

    mutating func held() {
        status = .completed
        pay()
        earned = payout
        settled(.lessonCompletedFullPayout)
    }

    mutating func refundedByAdmin(_ cents: Int) {
        refunded = cents
        let transferred = min(charge, payout)
        if cents == charged {
            // Also what was added to the transfer stays with the instructor only if it was not taken back.
            earned = 0
            credits += credit
            status = .cancelled
            settled(.adminRefund)
        } else {
            earned -= (transferred * cents + charged / 2) / charged
        }
    }

    mutating func instructorDidNotShow() {
        status = .noShow
        settled(.instructorNoShow)
    }

    mutating func studentDidNotShow() {
        status = .noShow
        pay()
        earned = payout
        settled(.studentNoShow)
    }

    /// The instructor gives back what the bank took, and keeps what credits paid for.
    mutating func disputeOpened() {
        earned = payout - min(charged, payout)
        payment = .manualReview
    }

    mutating func disputeClosed(isWon: Bool) {
        if isWon { earned = payout }
        settled(isWon ? .disputeWon : .disputeLost)
    }

    enum Lead: Sendable { case dayOrMore, halfDayOrMore, less }
}
