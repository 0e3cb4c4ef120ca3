package import JSON
package import Kernel
package import Storage

/// The port to Checkr: what of its API background checks need.
///
/// Calls are made outside of transactions and end in a ``CheckrOutcome``. Those
/// that create something carry a key that was stored before, and can be looked up.
package struct Checkr: Sendable {
    /// Somebody whose background is to be checked.
    package struct Candidate: Sendable, Hashable {
        /// Our id for them, by which they can be found.
        package var customID: String
        package var email: String
        package var firstName: String
        package var lastName: String
        package var place: WorkLocation
    }

    /// Where they will work; it decides which searches the law allows.
    package struct WorkLocation: Sendable, Hashable {
        package var state: String
        package var city: String?
    }

    package var createCandidate: @Sendable (Candidate, _ key: String) async throws -> CheckrOutcome<String>
    /// The candidate with our id, if there is one.
    package var findCandidate: @Sendable (_ customID: String) async throws -> CheckrOutcome<String?>
    package var invite:
        @Sendable (_ candidate: String, _ package: String, WorkLocation, _ key: String) async throws ->
            CheckrOutcome<String>
    /// The latest invitation of a candidate that was made at that time or after.
    package var findInvitation:
        @Sendable (_ candidate: String, _ since: Instant) async throws -> CheckrOutcome<
            String?
        >
    /// A report as Checkr shows it.
    package var report: @Sendable (_ id: String) async throws -> CheckrOutcome<JSONValue>

    /// The real one where an account is configured, otherwise the built-in one; nil
    /// when there is neither.
    package static func of(_ context: Context, _ database: any Database) -> Checkr? {
        guard let account = CheckrAccount.of(context.configuration) else { return nil }
        if account.isBuiltIn { return CheckrSandbox(database: database, context: context).port }
        return CheckrLive(
            base: context.configuration.checkrAPIURL, apiKey: account.apiKey, clients: context.clients
        ).port
    }
}

/// How one call to Checkr ended.
package enum CheckrOutcome<Value: Sendable>: Sendable {
    case done(Value)
    /// It was refused and always will be.
    case refused(CheckrProblem)
    /// It was not taken; Checkr wants to be asked later.
    case busy(Duration)
    /// It may have been taken.
    case unknown(String)
}

/// Why Checkr refuses, by the stable codes of the domain specification §3.3.
package enum CheckrProblem: String, Sendable, CaseIterable, Codable {
    case authentication = "checkr_auth_error"
    case noPackage = "checkr_package_not_found"
    case workLocation = "checkr_work_location_error"
    case invalidWorkLocation = "invalid_work_location"
    case other = "bgc_invite_failed"

    /// For the one who invites.
    package var message: String {
        switch self {
        case .authentication: "Checkr does not accept our credentials."
        case .noPackage: "Checkr does not have the package of checks that we ask for."
        case .workLocation: "Checkr cannot check for work at that place."
        case .invalidWorkLocation: "The ZIP code of the account is in no state that we know."
        case .other: "Checkr refused the invitation."
        }
    }
}
