package import Kernel

extension Feature {
    /// Invites to the beta, and who may join without one.
    package static let invites = Feature(
        name: "invites", summary: "Invites to join, from the code to the new user.",
        operations: [
            ValidateInvite.self, ShowBetaAccess.self, ConsumeInvite.self, GenerateInvites.self,
            SendInvite.self,
            SendInviteBatch.self, StartInviteBatch.self, ShowInviteProgress.self, ShowBetaSettings.self,
            ChangeBetaSettings.self, SummarizeBeta.self, InvitesList.self, InvitesDetail.self,
        ],
        jobs: [SendInvitesBatch.self], migrations: [inviteMigration])
}
