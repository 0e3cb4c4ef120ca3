/// An HTTP request to the endpoint, whatever library received it.
package struct MCPHTTPRequest: Sendable {
    package var method: String
    package var headers: HTTPHeaders
    /// Read up to ``MCPConfiguration/maximumBodyBytes`` and one more, so that
    /// a larger body is noticed.
    package var body: [UInt8]

    package init(method: String, headers: HTTPHeaders, body: [UInt8]) {
        self.method = method
        self.headers = headers
        self.body = body
    }
}

/// An HTTP response, whatever library sends it.
package enum MCPHTTPResponse: Sendable {
    /// All of it is known.
    case complete(status: Int, headers: [(name: String, value: String)], body: [UInt8])
    /// Status 200 and a body of server-sent events.
    case stream(EventStream)
}

/// A response body that is produced while the request is processed.
package struct EventStream: Sendable {
    /// Writes bytes to the client; throws when it is gone.
    package typealias Sink = ([UInt8]) async throws -> Void

    package let headers: [(name: String, value: String)]
    /// Modern clients cancel by closing the connection: the task that runs the
    /// stream must then be cancelled. A legacy client's disconnect is not a
    /// cancellation; the work goes on and its events are dropped.
    package let cancelsOnDisconnect: Bool
    /// Cancels the work, as a server does that shuts down; the client still gets
    /// a response. May be called from anywhere, at any time and more than once.
    package let stop: @Sendable () -> Void
    /// Produces the body and returns when it is complete. Writes happen one at
    /// a time, and while one waits only a bounded number of messages is kept.
    /// A write may throw: then `run` throws it, at once or, when a disconnect
    /// does not cancel, after the work is done. Call it exactly once.
    package let run: @Sendable (_ write: Sink) async throws -> Void
}

/// Framing of server-sent events.
enum ServerSentEvents {
    static let keepAlive = Array(": ping\n\n".utf8)
    static let headers: [(name: String, value: String)] = [
        ("content-type", "text/event-stream"), ("cache-control", "no-cache"), ("x-accel-buffering", "no"),
    ]
    private static let start = Array("event: message\ndata: ".utf8)
    private static let end = Array("\n\n".utf8)

    /// One message as one event.
    static func event(_ message: [UInt8]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(start.count + message.count + end.count)
        bytes += start
        bytes += SingleLine.of(message)
        bytes += end
        return bytes
    }
}

/// JSON on one line, as lines and events need it.
enum SingleLine {
    /// Line breaks can only be white space between tokens: strings escape them.
    static func of(_ message: [UInt8]) -> [UInt8] {
        guard message.contains(where: isBreak) else { return message }
        return message.map { isBreak($0) ? UInt8(ascii: " ") : $0 }
    }

    private static func isBreak(_ byte: UInt8) -> Bool { byte == 0x0A || byte == 0x0D }
}
