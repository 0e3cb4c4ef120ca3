package import Kernel

extension Feature {
    /// Instructors, from their registration to their first lesson, and what it takes.
    package static let instructors = Feature(
        name: "instructors", summary: "Instructors, their onboarding and their background checks at Checkr.",
        operations: [
            ShowMyProfile.self, CreateMyProfile.self, UpdateMyProfile.self, DeleteMyProfile.self, GoLive.self,
            ShowAccountState.self, SuspendAccount.self, DeactivateAccount.self, ReactivateAccount.self,
            ShowInstructor.self, ShowCoverage.self, CheckServiceArea.self,
            ListMyAreas.self, ReplaceMyAreas.self, ListNeighborhoods.self, ShowBulkCoverage.self,
            CheckZIP.self,
            ListMyAddresses.self, AddMyAddress.self, UpdateMyAddress.self, DeleteMyAddress.self,
            ShowPricing.self, UpdatePricing.self, ShowPublicConfig.self, CountFounding.self,
            ConsentToCheck.self, InviteToCheck.self, RepeatCheck.self, ShowCheck.self, RehearsePass.self,
            RehearseReview.self, RehearseReset.self, ListReviewCases.self, CountReviews.self,
            CountChecks.self,
            ListCases.self, ShowCheckHistory.self, ListExpiring.self, ShowLatestConsent.self,
            ListCheckWebhooks.self, CountCheckWebhooks.self, OverrideCheck.self, GivePreAdverseNotice.self,
            OpenCheckDispute.self, ResolveCheckDispute.self, ShowInstructorForAdmin.self,
            FoundingFunnelSummary.self, FoundingStuckInstructors.self,
            InstructorsList.self, InstructorsCoverage.self, InstructorsDetail.self,
        ],
        webhooks: [CheckrWebhook.self],
        jobs: [
            DeliverSandboxEvent.self, FetchReport.self, InviteCandidate.self, SweepExpiredChecks.self,
            TakeFinalAction.self,
        ],
        migrations: [
            instructorMigration, onboardingMigration, regionMigration, backgroundCheckMigration,
            checkrSandboxMigration,
        ])
}
