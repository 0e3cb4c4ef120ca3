package import Kernel

extension Feature {
    /// Accounts of people: registering, signing in and out, passwords, the second factor.
    package static let auth = Feature(
        name: "auth", summary: "Accounts of students and instructors: signing in, sessions, passwords.",
        operations: [
            RegisterUser.self, SignIn.self, SignInWithSession.self, VerifySignIn.self, RefreshSession.self,
            SignOut.self, BeginGuestSession.self, ShowMe.self, ChangeMe.self, ChangePassword.self,
            ListSessions.self, EndSession.self, RequestPasswordReset.self, VerifyPasswordReset.self,
            ResetPassword.self, SetUpTwoFactor.self, EnableTwoFactor.self, DisableTwoFactor.self,
            ShowTwoFactor.self, RegenerateBackupCodes.self, ListTrustedDevices.self,
            RemoveTrustedDevice.self, ShowPhone.self, ChangePhone.self, VerifyPhone.self, ConfirmPhone.self,
            ListAuthBlocks.self, SummarizeAuthBlocks.self, ShowAuthBlock.self, ClearAuthBlock.self,
        ],
        jobs: [PruneSignIns.self], migrations: [sessionMigration, signInMigration, twoFactorMigration])

    /// What other features do for a new account, in this order; see ``RegistrationStep``.
    ///
    /// The profile comes before the invite, which may give its holder a founding place.
    package static let registrationSteps: [RegistrationStep] = [
        { account, tx, context in
            try RegisterInstructor.run(account.user.id, roles: [account.role], tx, context)
        },
        Invite.registrationStep,
    ]
}
