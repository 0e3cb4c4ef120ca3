package import Kernel

extension Feature {
    /// What is held about people: showing it to them, forgetting it, and keeping nothing longer than needed.
    package static let privacy = Feature(
        name: "privacy", summary: "What is held about people: export, deletion, retention.",
        operations: [
            ExportMyData.self, ExportUserData.self, DeleteMyAccount.self, DeleteUser.self,
            ShowPrivacyStatistics.self, ApplyRetention.self,
        ],
        jobs: [
            ForgetMessage.self, ApplyRetentionPolicies.self, GeneratePrivacyReport.self,
            PurgeSoftDeleted.self,
        ],
        migrations: [privacyMigration])
}
