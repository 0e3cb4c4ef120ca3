package import Kernel

extension Feature {
    /// Charges, refunds, disputes and payouts at Stripe.
    package static let payments = Feature(
        name: "payments", summary: "Charges, refunds, disputes and payouts at Stripe.",
        webhooks: [StripeWebhook.self], migrations: [paymentMigration])
}
