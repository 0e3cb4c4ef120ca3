package import JSON

/// The one error every surface understands.
///
/// A `Failure` is written for the caller: a person at a terminal, or a
/// language model holding the tool result. `message` says what is wrong and
/// names the value, `hint` says what to do next, and neither ever contains a
/// secret, SQL, or text taken from an upstream system.
///
/// Any other error that reaches a surface is a bug: it is logged in full,
/// given an incident id, and shown to the caller as ``Code/internal``.
package struct Failure: Error, Sendable {
    /// The class of a failure; each surface maps it once (HTTP status, tool error, exit code).
    package enum Code: String, Sendable, CaseIterable {
        case invalidInput = "invalid_input"
        case unauthenticated, forbidden
        case notFound = "not_found"
        case conflict
        /// Something must be added to the request first, such as a solved captcha (RFC 6585 §3).
        case preconditionRequired = "precondition_required"
        case rateLimited = "rate_limited"
        case unavailable
        case `internal`
    }

    package var code: Code
    package var message: String
    package var hint: String?
    /// A stable machine-readable name where the contract has one, e.g. `webhook_not_found`.
    package var reason: String?
    /// Argument name to problem, for ``Code/invalidInput``, in declaration order.
    package var fields: [Field] = []
    /// How long to wait before trying again, for ``Code/rateLimited`` and ``Code/unavailable``.
    package var retryAfter: Duration?
    /// Scopes that would have sufficed, for ``Code/forbidden``.
    package var requiredScopes: [Scope] = []
    /// Members that the contract names beside those of every failure (RFC 9457 §3.2),
    /// e.g. `conflict_scope`.
    package var details: JSONObject = [:]
    /// The underlying error. Logged, never shown.
    package var cause: (any Error)?

    /// One argument and what is wrong with it.
    package struct Field: Sendable, Hashable {
        package var name: String
        package var problem: String
        package init(_ name: String, _ problem: String) { (self.name, self.problem) = (name, problem) }
    }

    package init(
        _ code: Code, _ message: String, hint: String? = nil, reason: String? = nil, cause: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.reason = reason
        self.cause = cause
    }

    /// All argument problems of one call, reported together.
    package static func invalid(_ fields: [Field], hint: String? = nil) -> Failure {
        let list = fields.map { "\($0.name): \($0.problem)" }.joined(separator: "; ")
        var failure = Failure(.invalidInput, list, hint: hint)
        failure.fields = fields
        return failure
    }

    /// The status of HTTP surfaces (RFC 9110), one row per code.
    package var httpStatus: Int {
        switch code {
        case .invalidInput: 422
        case .unauthenticated: 401
        case .forbidden: 403
        case .notFound: 404
        case .conflict: 409
        case .preconditionRequired: 428
        case .rateLimited: 429
        case .unavailable: 503
        case .internal: 500
        }
    }

    /// Whether the same call may succeed later without being changed.
    package var isRetryable: Bool {
        switch code {
        case .rateLimited, .unavailable, .internal: true
        case .invalidInput, .unauthenticated, .forbidden, .notFound, .conflict, .preconditionRequired: false
        }
    }
}

extension Failure: CustomStringConvertible {
    /// Safe to show.
    package var description: String { hint.map { "\(message) \($0)" } ?? message }
}
