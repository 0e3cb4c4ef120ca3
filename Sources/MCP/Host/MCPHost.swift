/// What a server offers to clients; the library does the protocol.
///
/// Errors: throw ``MCPError`` for a fault of protocol (unknown name, bad
/// params). Anything else is a bug of the host's: the client is told only what
/// ``incident(_:method:name:)`` returns. A task's cancellation reaches the call
/// as ordinary Swift cancellation; whatever it then returns is dropped.
package protocol MCPHost: Sendable {
    /// Who is asking, as the surface found out before the library was called.
    associatedtype Caller: Sendable

    var info: Implementation { get }
    /// A short text for the model: order of work, forms of ids, limits.
    var instructions: String? { get }
    var features: MCPFeatures { get }

    /// An identity that states and answers are bound to; the same for all
    /// requests of one caller, different for different callers.
    func identity(of caller: Caller) -> String

    /// Whether the caller may do this; asked before anything runs or streams.
    /// `name` is the tool's or prompt's name or the resource's URI.
    func authorize(method: String, name: String?, caller: Caller) -> AuthorizationProblem?

    /// The tools this caller may see. Return a catalog that was made before.
    func tools(for caller: Caller) -> ToolCatalog
    /// Runs a tool of the caller's catalog. Bad arguments are an `isError` result.
    func call(_ call: ToolCall<Caller>) async throws -> ToolOutcome

    func resources(for caller: Caller) async throws -> ResourceCatalog
    /// Throws ``MCPError/resourceNotFound(_:)`` for what is not there.
    func read(_ read: ResourceRead<Caller>) async throws -> ResourceOutcome

    func prompts(for caller: Caller) async throws -> PromptCatalog
    /// Called for a prompt of the catalog with its required arguments present.
    func prompt(_ call: PromptCall<Caller>) async throws -> PromptOutcome

    /// Values for an argument that is being typed; the library sends 100 at most.
    func complete(_ request: CompletionRequest<Caller>) async throws -> Completion

    /// Changes from now on, ended when the server stops. Each listener has its own stream.
    func changes(for caller: Caller) -> AsyncStream<ChangeEvent>

    /// Records an unexpected error and returns what the client may read.
    func incident(_ error: any Error, method: String, name: String?) -> String
}

extension MCPHost {
    package var instructions: String? { nil }
    package var features: MCPFeatures { MCPFeatures() }

    package func authorize(method: String, name: String?, caller: Caller) -> AuthorizationProblem? { nil }
    package func resources(for caller: Caller) async throws -> ResourceCatalog { ResourceCatalog([]) }

    package func read(_ read: ResourceRead<Caller>) async throws -> ResourceOutcome {
        throw MCPError.resourceNotFound(read.uri)
    }

    package func prompts(for caller: Caller) async throws -> PromptCatalog { PromptCatalog([]) }

    package func prompt(_ call: PromptCall<Caller>) async throws -> PromptOutcome {
        throw MCPError.invalidParams("There is no prompt named '\(call.name)'")
    }

    package func complete(_ request: CompletionRequest<Caller>) async throws -> Completion {
        Completion([])
    }

    package func changes(for caller: Caller) -> AsyncStream<ChangeEvent> {
        AsyncStream { $0.finish() }
    }

    package func incident(_ error: any Error, method: String, name: String?) -> String {
        "The server failed to process this request"
    }
}

/// Why a caller may not do something, as HTTP tells it (RFC 6750).
package struct AuthorizationProblem: Sendable, Hashable {
    /// 401 when another credential would help, 403 when more scope would.
    package var status: Int
    package var challenge: BearerChallenge
    /// For the person or model at the other end.
    package var message: String

    package init(status: Int, challenge: BearerChallenge, message: String) {
        self.status = status
        self.challenge = challenge
        self.message = message
    }

    /// 403 naming every scope the operation needs, for step-up authorization.
    package static func insufficientScope(
        _ scopes: [String], resourceMetadata: String? = nil, message: String
    ) -> AuthorizationProblem {
        AuthorizationProblem(
            status: 403,
            challenge: BearerChallenge(
                error: "insufficient_scope", description: message, scopes: scopes,
                resourceMetadata: resourceMetadata),
            message: message)
    }
}
