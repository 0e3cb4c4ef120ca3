/// Why a webhook's signature or credentials were not accepted.
///
/// For logs, metrics and our own tests. The sender is told no more than that
/// its request was refused.
package enum SignatureProblem: Error, Sendable, Hashable {
    /// No secret is configured, so nothing can be checked.
    case notConfigured
    /// The header is absent or empty.
    case missing
    /// The header is not of the documented form.
    case malformed
    /// No secret gives any of the signatures.
    case mismatch
    /// Properly signed, and older than the tolerance: may be a replay.
    case tooOld
    /// Properly signed for a time further ahead than the tolerance.
    case tooNew
}
