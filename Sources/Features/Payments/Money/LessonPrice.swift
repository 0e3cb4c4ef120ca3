import Kernel

/// What a lesson costs and who gets what of it, in cents (domain specification §2.6).
///
/// Every share is rounded half up, and the rest goes to the other side, so the
/// parts always add up: `studentPay + credit == payout + instructorFee + studentFee`.
package struct LessonPrice: Sendable, Hashable, Codable {
    /// The lesson itself.
    package var base: Int
    package var studentFee: Int
    package var instructorFee: Int
    /// Of the student's credits; never for the fee.
    package var credit: Int
    package var commission: Rate

    package init(base: Int, studentFee: Int, instructorFee: Int, credit: Int, commission: Rate) {
        self.base = base
        self.studentFee = studentFee
        self.instructorFee = instructorFee
        self.credit = credit
        self.commission = commission
    }

    /// - Parameter available: the student's credits that may be used.
    package init(base: Int, available: Int, commission: Rate, _ config: PricingConfig) {
        self.init(
            base: base, studentFee: config.studentFeePct.share(ofCents: base),
            instructorFee: commission.share(ofCents: base), credit: max(0, min(available, base)),
            commission: commission)
    }

    /// The price of so many minutes, rounded half up on cents.
    package static func base(hourlyRateCents: Int, minutes: Int) -> Int {
        (hourlyRateCents * minutes + 30) / 60
    }

    package var payout: Int { base - instructorFee }
    /// What the card is charged.
    package var studentPay: Int { base - credit + studentFee }
    package var applicationFee: Int { max(0, studentFee + instructorFee - credit) }
    /// How much of the charge goes to the instructor at the capture.
    package var transferAmount: Int { min(studentPay, payout) }
    /// What the platform adds when the charge is less than what the instructor gets.
    package var topUp: Int { payout - transferAmount }
    /// Half of a payout and of a lesson's price, half up.
    package var halfPayout: Int { (payout + 1) / 2 }
    package var halfBase: Int { (base + 1) / 2 }

    /// As the provider is told.
    package var metadata: [String: String] {
        [
            "base_price_cents": "\(base)", "student_fee_cents": "\(studentFee)",
            "platform_fee_cents": "\(instructorFee)", "applied_credit_cents": "\(credit)",
            "student_pay_cents": "\(studentPay)", "application_fee_cents": "\(applicationFee)",
            "target_instructor_payout_cents": "\(payout)", "instructor_tier_pct": "\(commission.fraction)",
        ]
    }
}
