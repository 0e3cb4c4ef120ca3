import JSON
import Synchronization

/// One request on its way through the server.
struct Exchange<Caller: Sendable>: Sendable {
    let request: Message.Request
    let caller: Caller
    let identity: String
    let revision: Revision
    /// What `initialize` said, on this pipe or in the session id of this request.
    var session: LegacySession?
    /// Trace context of the transport; the message's own wins.
    var trace = TraceContext()
    /// Sends a message ahead of the response, where the transport streams.
    var send: Outbox.Send?

    var id: RequestID { request.id }
    var params: JSONObject { request.params }

    /// What the request is about: a tool's or prompt's name or a resource's URI.
    var subject: String? {
        switch request.method {
        case "tools/call", "prompts/get": params["name"]?.stringValue
        case "resources/read", "resources/subscribe", "resources/unsubscribe": params["uri"]?.stringValue
        default: nil
        }
    }

    /// What the client wants progress reported under, if it does.
    var progressToken: RequestID? { request.meta?["progressToken"].flatMap(RequestID.init) }

    /// What the client said it can do; a legacy one without a session said nothing.
    var declared: ClientCapabilities {
        revision.isModern
            ? ClientCapabilities(request.meta?[MetaKey.clientCapabilities]?.objectValue ?? [:])
            : session?.snapshot.capabilities ?? ClientCapabilities()
    }

    /// What the client can do about this request.
    var capabilities: ClientCapabilities {
        revision.isModern ? declared : declared.usable(in: revision, onStream: send != nil)
    }
}

/// Member names the protocol reserves in `_meta`.
enum MetaKey {
    static let protocolVersion = "io.modelcontextprotocol/protocolVersion"
    static let clientCapabilities = "io.modelcontextprotocol/clientCapabilities"
    static let clientInfo = "io.modelcontextprotocol/clientInfo"
    static let serverInfo = "io.modelcontextprotocol/serverInfo"
    static let logLevel = "io.modelcontextprotocol/logLevel"
    static let subscriptionID = "io.modelcontextprotocol/subscriptionId"
}

/// What a legacy client said about itself: on a connection of its own it is
/// remembered, over HTTP it comes with each request.
final class LegacySession: Sendable {
    /// The state at one moment.
    struct Snapshot {
        /// Whether `initialize` has succeeded.
        var isOpen = false
        var revision = Revision.assumed
        var client: ClientInfo?
        var capabilities = ClientCapabilities()
        var logLevel = MessageLogger.Level.info
    }

    private let state: Mutex<Snapshot>

    init(_ snapshot: Snapshot = Snapshot()) { state = Mutex(snapshot) }

    var snapshot: Snapshot { state.withLock { $0 } }
    func update(_ change: (inout Snapshot) -> Void) { state.withLock { change(&$0) } }
}
