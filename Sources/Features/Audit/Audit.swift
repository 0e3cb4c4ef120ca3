package import Kernel

extension Feature {
    /// The governance audit log: who did what, when, through what, and how it went.
    package static let audit = Feature(
        name: "audit",
        summary:
            "The governance audit log: who did what, when, through which client, and whether it was refused.",
        operations: [
            SearchAudit.self, AuditUserActivity.self, AuditResourceHistory.self, AuditRecentAdminActions.self,
            ShowAuditEntry.self,
        ])
}
