import HTTPTypes
package import Hummingbird
package import MCP
import NIOCore
import ServiceLifecycle

/// Carries the protocol's HTTP values over Hummingbird.
package enum MCPHTTPAdapter {
    /// Reads a request, has `server` answer it, and sends the answer, streamed when it is a stream.
    package static func respond<Host: MCPHost>(
        _ server: MCPServer<Host>, to request: Request, caller: Host.Caller
    ) async throws -> Response {
        var incoming = request
        // One byte more than allowed, so that the library notices and names the limit.
        let limit = server.configuration.maximumBodyBytes + 1
        let body: [UInt8]
        do {
            body = Array(try await incoming.collectBody(upTo: limit).readableBytesView)
        } catch is NIOTooManyBytesError {
            body = Array(repeating: 0, count: limit)
        }
        let headers = HTTPHeaders(
            request.headers.map { ($0.name.rawName, $0.value) } + [("host", request.head.authority ?? "")])
        let answer = await server.respond(
            to: MCPHTTPRequest(method: request.method.rawValue, headers: headers, body: body), caller: caller)
        switch answer {
        case .complete(let status, let fields, let bytes):
            return Response(
                status: .init(code: status), headers: Self.fields(fields),
                body: bytes.isEmpty ? ResponseBody() : ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
        case .stream(let stream):
            var fields = Self.fields(stream.headers)
            // Watching for the client's end makes Hummingbird close the connection
            // afterwards; a client that is not told would use it once more.
            if stream.cancelsOnDisconnect { fields[.connection] = "close" }
            return Response(status: .ok, headers: fields, body: Self.body(of: stream, incoming))
        }
    }

    /// A stream ends when its work does, when a modern client goes away, and
    /// at shutdown; an open one would otherwise hold the shutdown up for ever.
    ///
    /// The library writes straight to the connection and waits for each write,
    /// so nothing is buffered here; after a failed write it stops, or goes on
    /// without writing when a disconnect is no cancellation.
    ///
    /// `request` must be the one whose body was collected. With the one that came,
    /// Hummingbird waits for an end of the body that it has seen already, and its
    /// precondition stops the process when the stream ends.
    private static func body(of stream: EventStream, _ request: Request) -> ResponseBody {
        ResponseBody { writer in
            try await withGracefulShutdownHandler {
                guard stream.cancelsOnDisconnect else {
                    return try await stream.run { try await writer.write(ByteBuffer(bytes: $0)) }
                }
                try await request.body.consumeWithCancellationOnInboundClose { _ in
                    try await stream.run { try await writer.write(ByteBuffer(bytes: $0)) }
                }
            } onGracefulShutdown: {
                stream.stop()
            }
            try await writer.finish(nil)
        }
    }

    private static func fields(_ fields: [(name: String, value: String)]) -> HTTPFields {
        var result = HTTPFields()
        for (name, value) in fields {
            if let field = HTTPField.Name(name) { result[field] = value }
        }
        return result
    }
}
