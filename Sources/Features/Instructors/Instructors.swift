package import Kernel

extension Feature {
    /// Instructors, from their registration to their first lesson, and what it takes.
    package static let instructors = Feature(
        name: "instructors", summary: "Instructors, their onboarding and their background checks at Checkr.",
        webhooks: [CheckrWebhook.self],
        jobs: [
            DeliverSandboxEvent.self, InviteCandidate.self, SweepExpiredChecks.self, TakeFinalAction.self,
        ],
        migrations: [
            instructorMigration, onboardingMigration, regionMigration, backgroundCheckMigration,
            checkrSandboxMigration,
        ])
}
