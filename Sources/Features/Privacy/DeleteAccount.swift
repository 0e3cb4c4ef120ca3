import Kernel
import Storage

/// What became of a person's data.
struct DeletionResult: Codable, Sendable {
    var status: String
    var deleteAccount: Bool
    /// Table → rows that were deleted or blanked.
    var deletionStats: [String: Int]
}

/// Deletes or anonymizes the caller's own account.
struct DeleteMyAccount: Command {
    static let name = "privacy_delete_me"
    static let summary = "Delete your account and what is held about you, or only your name from it."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.deleteOwnAccount)
    static let route = Route.post("privacy/delete/me")
    static let action = "user.delete_request"
    static let secretInputs: Set = ["code"]
    typealias Output = DeletionResult

    @Input("true closes the account; false keeps its history without your name.") var deleteAccount: Bool
    @Input("Your password.", .length(1...128)) var currentPassword: String?
    @Input("Or a code of your second factor.", .length(6...20)) var code: String?
    @Prepared var proof: StepUp?
    var subject: Subject? { proof?.subject }

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        proof = try await StepUp.judge(password: currentPassword, code: code, db, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> DeletionResult {
        try proof.required.require(tx, context)
        let counts = try ForgetPerson.run(
            try context.userID(), deleteAccount ? .delete : .anonymize, tx, context)
        return DeletionResult(
            status: deleteAccount ? "deleted" : "anonymized", deleteAccount: deleteAccount,
            deletionStats: counts)
    }

    static func attachments(of output: DeletionResult) -> Attachments { Attachments(credentials: .signedOut) }
}

/// The same for an administrator who carries out somebody's request.
struct DeleteUser: Command {
    static let name = "privacy_delete_user"
    static let summary = "Delete a person's account and what is held about them, or only their name from it."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.manageUsers)
    static let route = Route.post("privacy/delete/user/:user_id")
    static let action = "user.delete_request"
    typealias Output = DeletionResult

    @Input("The person's id.") var userID: ULID
    @Input("true closes the account; false keeps its history without a name.") var deleteAccount = true
    @Input("Why, e.g. the number of the request.", .length(3...500)) var reason: String
    var subject: Subject? { Subject("user", userID.description) }

    func run(_ tx: Transaction, _ context: Context) throws -> DeletionResult {
        if context.actor.id == userID.description {
            throw Failure(
                .conflict, "This is your own account.", hint: "Use privacy/delete/me.", reason: "own_account")
        }
        let counts = try ForgetPerson.run(userID, deleteAccount ? .delete : .anonymize, tx, context)
        return DeletionResult(
            status: deleteAccount ? "deleted" : "anonymized", deleteAccount: deleteAccount,
            deletionStats: counts)
    }
}
