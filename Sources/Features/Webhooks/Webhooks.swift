package import Kernel

extension Feature {
    /// The ledger of what Stripe and Checkr told us, and its replay.
    package static let webhooks = Feature(
        name: "webhooks",
        summary:
            "The ledger of every Stripe and Checkr webhook: list, open, find failures, replay (dry run first).",
        operations: [ListWebhooks.self, ListFailedWebhooks.self, WebhookDetail.self, ReplayWebhook.self])
}
