/// Limits and policies of a server; the defaults suit one behind a proxy.
package struct MCPConfiguration: Sendable {
    /// A larger body is answered with 413.
    package var maximumBodyBytes = 4 * 1024 * 1024
    /// Deeper JSON is refused.
    package var maximumDepth = 64
    package var access = AccessPolicy()
    /// Silence after which a stream carries a comment, so that proxies keep it.
    package var keepAlive = Duration.seconds(15)
    /// How long a legacy client's user may take to answer.
    package var answerLimit = Duration.seconds(300)
    /// Questions that may be open at once, over all callers.
    package var maximumQuestions = 1024
    /// Rounds of questions one legacy call may take.
    package var maximumRounds = 8
    /// How long requests may still run when standard input has ended.
    package var drainLimit = Duration.seconds(10)
    /// Seals the state of ``InputRequired`` and the session ids of legacy HTTP
    /// clients. Without one, returning a state is an error and no session ids are
    /// given out, so that such clients cannot be asked for anything.
    package var seal: StateSeal?
    /// For how long clients may keep the answer of `server/discover`.
    package var discoverCaching = Caching(milliseconds: 300_000, scope: .public)

    package init() {}
}
