package import Kernel

extension Feature {
    /// Instructors and their background checks at Checkr.
    package static let instructors = Feature(
        name: "instructors", summary: "Instructors and their background checks at Checkr.",
        webhooks: [CheckrWebhook.self], migrations: [instructorMigration])
}
