package import Kernel

extension Feature {
    /// Who brought whom, what that earns, and the payouts of it.
    package static let referrals = Feature(
        name: "referrals", summary: "Referrals, their rewards and the payouts to instructors.",
        operations: [
            ShowMyReferrals.self, JoinReferrals.self, FollowReferral.self, CountReferralClick.self,
            ClaimReferral.self, SendReferrals.self, ShowInstructorReferralStats.self,
            ListReferredInstructors.self, ShowReferralPopup.self, ShowFoundingStatus.self,
            ShowReferralConfig.self, SummarizeReferrals.self, CheckReferrals.self,
        ],
        jobs: [
            ProcessReferralPayout.self, CheckPendingReferralPayouts.self, RetryFailedReferralPayouts.self,
            RunUnlocker.self,
        ],
        migrations: [referralMigration, referralRewardMigration])
}
