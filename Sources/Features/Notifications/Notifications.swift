package import Kernel

extension Feature {
    /// E-mail and SMS, from the transaction that wants them to the provider that sends them.
    package static let notifications = Feature(
        name: "notifications", summary: "E-mail and SMS to students and instructors.",
        jobs: [DeliverEvent.self, DispatchPending.self], migrations: [notificationMigration])
}
