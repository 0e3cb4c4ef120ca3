/// Whether an answer may name people in full.
///
/// Names and addresses are shortened unless the caller asks for them, may write, and says
/// why: the call's entry in the audit log keeps the reason with the other arguments.
package struct Reveal: Sendable {
    package let isGranted: Bool

    /// - Throws: ``Failure/Code/forbidden`` without the scope to write, ``Failure/Code/invalidInput``
    ///   without a reason.
    package init(_ asked: Bool, reason: String?, _ context: Context) throws {
        isGranted = asked
        guard asked else { return }
        guard context.actor.scopes.contains(.write) else {
            throw Failure(
                .forbidden, "Names and addresses in full need the scope mcp:write.",
                hint: "Leave reveal out, or use a token with that scope.", reason: "reveal_needs_write")
        }
        guard reason != nil else {
            throw Failure.invalid([.init("reason", "is required when reveal is true")])
        }
    }
}
