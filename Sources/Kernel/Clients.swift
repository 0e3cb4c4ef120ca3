/// The outside world as closures: live in production, `unimplemented` in
/// tests, so that a call nobody declared fails by its name.
///
/// A client is called from queries (between reads) and jobs, never inside a
/// transaction: command bodies are synchronous and cannot await it.
package struct Clients: Sendable {
    /// What came back from an HTTP request.
    package struct HTTPAnswer: Sendable {
        package var status: Int
        package var body: [UInt8]
        package init(status: Int, body: [UInt8]) { (self.status, self.body) = (status, body) }
    }

    /// Posts `body` to `url`; throws when no answer came within the client's time-out.
    package var post:
        @Sendable (_ url: String, _ headers: [(String, String)], _ body: [UInt8]) async throws -> HTTPAnswer

    package init(
        post: @escaping @Sendable (String, [(String, String)], [UInt8]) async throws -> HTTPAnswer
    ) {
        self.post = post
    }

    /// Every call fails and names itself.
    package static let unimplemented = Clients(
        post: { url, _, _ in
            throw Failure(.internal, "Clients.post was called for \(url) but is not provided here.")
        })
}
