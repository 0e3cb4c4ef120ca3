/// The outside world as closures: live in production, `unimplemented` in
/// tests, so that a call nobody declared fails by its name.
///
/// A client is called from queries (between reads) and jobs, never inside a
/// transaction: command bodies are synchronous and cannot await it.
package struct Clients: Sendable {
    /// What is asked of another system.
    package struct HTTPRequest: Sendable {
        package enum Method: String, Sendable {
            case get = "GET", post = "POST", put = "PUT", delete = "DELETE"
        }

        package var method: Method
        package var url: String
        package var headers: [(String, String)]
        package var body: [UInt8]
        /// For all of it, from the connection to the last byte of the answer.
        package var timeout: Duration
        /// The longest body that is read.
        package var maximumBytes: Int

        package init(
            _ method: Method, _ url: String, headers: [(String, String)] = [], body: [UInt8] = [],
            timeout: Duration = .seconds(10), maximumBytes: Int = 8 << 20
        ) {
            self.method = method
            self.url = url
            self.headers = headers
            self.body = body
            self.timeout = timeout
            self.maximumBytes = maximumBytes
        }
    }

    /// What came back from an HTTP request.
    package struct HTTPAnswer: Sendable {
        package var status: Int
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]

        package init(status: Int, headers: [(name: String, value: String)] = [], body: [UInt8]) {
            self.status = status
            self.headers = headers
            self.body = body
        }

        /// The first header of that name, in any case (RFC 9110 §5.1).
        package func header(_ name: String) -> String? {
            let name = name.lowercased()
            return headers.first { $0.name.lowercased() == name }?.value
        }
    }

    /// Why no answer came back. Any status is an answer.
    package enum HTTPProblem: Error, Sendable, Hashable {
        case invalidURL
        /// No connection, or one that broke.
        case unreachable
        case timedOut
        /// The body is longer than the request allows.
        case tooLarge
    }

    /// Asks, and throws ``HTTPProblem`` or `CancellationError` when no answer came.
    package var send: @Sendable (_ request: HTTPRequest) async throws -> HTTPAnswer

    package init(
        send: @escaping @Sendable (HTTPRequest) async throws -> HTTPAnswer = { request in
            throw Failure(.internal, "Clients.send was called for \(request.url) but is not provided here.")
        }
    ) {
        self.send = send
    }

    /// Every call fails and names itself.
    package static let unimplemented = Clients()
}
