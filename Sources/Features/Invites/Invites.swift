package import Kernel

extension Feature {
    /// Invites to the beta, and who may join without one.
    package static let invites = Feature(
        name: "invites", summary: "Invites to join, from the code to the new user.",
        jobs: [SendInvitesBatch.self], migrations: [inviteMigration])
}
