package import Kernel

extension Feature {
    /// Charges, refunds, disputes and payouts at Stripe.
    package static let payments = Feature(
        name: "payments", summary: "Charges, refunds, disputes and payouts at Stripe.",
        operations: [
            BeginOnboarding.self, ShowConnectStatus.self, OpenConnectDashboard.self, SetPayoutSchedule.self,
            RequestInstantPayout.self, BeginIdentityCheck.self, RefreshIdentityCheck.self,
            KeepPaymentMethod.self, ListPaymentMethods.self, RemovePaymentMethod.self, ShowEarnings.self,
            ExportEarnings.self, ListPayouts.self, ListTransactions.self, ShowCredits.self,
            ListDifferences.self, StartReconciliation.self,
        ],
        webhooks: [StripeWebhook.self],
        jobs: [
            AuditPayoutSchedules.self, CaptureCompletedLessons.self, CheckAuthorizationHealth.self,
            CheckImmediateAuthTimeout.self, DeliverStripeEvents.self, DetachPaymentMethod.self,
            ExpireCredits.self, MakeInstantPayout.self, PassSandboxTime.self,
            ProcessScheduledAuthorizations.self, Reconcile.self, ResolveUndisputedNoShows.self,
            ResumePlans.self, RetryFailedAuthorizations.self, RetryFailedCaptures.self, RunMoneyPlan.self,
        ],
        migrations: [
            paymentMigration, ledgerMigration, creditMigration, moneyPlanMigration, cardDisputeMigration,
            moneyInitiatorMigration, stripeSandboxMigration, paymentJobMigration, reconciliationMigration,
        ])
}
