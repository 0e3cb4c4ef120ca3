package import JSON

/// What is known about a request besides its subject, and the ways to talk to
/// the client while it runs.
package struct MCPContext<Caller: Sendable>: Sendable {
    package let caller: Caller
    package let revision: Revision
    package let requestID: RequestID
    /// What the client says it is. Unverified: for display and logs only.
    package let client: ClientInfo?
    /// What the client can do about this request. A legacy client's include
    /// only what it can be asked for here and now: nothing without a stream, nor
    /// over HTTP when it sent no session id.
    package let capabilities: ClientCapabilities
    package let trace: TraceContext
    /// Answers to an earlier ``InputRequired``, by key. Shapes are unverified.
    package let inputResponses: JSONObject
    /// The state of an earlier ``InputRequired``, verified to be ours, for this
    /// caller, method and arguments, and not expired.
    package let state: [UInt8]?
    package let progress: ProgressReporter
    package let logger: MessageLogger
    let asker: ClientAsker?

    /// Whether ``ask(_:)`` can work: a legacy client on a stream that declared
    /// something it can be asked for. ``capabilities`` says what.
    package var canAsk: Bool { asker != nil }

    /// Sends a request to a legacy client and waits for its answer.
    ///
    /// Throws ``AskError``. Modern clients are never asked this way: return
    /// ``InputRequired`` instead, which the library also translates into
    /// questions for legacy clients.
    package func ask(_ request: InputRequest) async throws -> JSONValue {
        guard let asker else { throw AskError.unavailable }
        return try await asker.ask(request)
    }

    /// Asks the person at a legacy client to fill in a flat form. Never for secrets.
    package func elicit(message: String, schema: JSONValue) async throws -> ElicitationAnswer {
        ElicitationAnswer(try await ask(.elicit(message: message, schema: schema)))
    }
}

/// Name and version a client reports about itself.
package struct ClientInfo: Sendable, Hashable {
    package var name: String
    package var version: String

    package init(name: String, version: String) {
        self.name = name
        self.version = version
    }

    init?(_ value: JSONValue?) {
        guard let name = value?["name"]?.stringValue else { return nil }
        self.init(name: name, version: value?["version"]?.stringValue ?? "")
    }
}

/// What a client can do, as it declared (schema: ClientCapabilities).
package struct ClientCapabilities: Sendable, Hashable {
    package var json: JSONObject

    package init(_ json: JSONObject = [:]) { self.json = json }

    /// An elicitation capability without modes means forms.
    package var fillsForms: Bool {
        guard let elicitation = json["elicitation"]?.objectValue else { return false }
        return elicitation.contains("form") || !elicitation.contains("url")
    }

    package var opensURLs: Bool { json["elicitation"]?["url"]?.objectValue != nil }
    package var samples: Bool { json["sampling"]?.objectValue != nil }
    package var listsRoots: Bool { json["roots"]?.objectValue != nil }

    /// Whether there is anything the server could ask.
    var answers: Bool { fillsForms || opensURLs || samples || listsRoots }

    /// Without what a legacy revision has no question for, and without all
    /// questions where there is no stream to ask on.
    func usable(in revision: Revision, onStream: Bool) -> ClientCapabilities {
        var usable = json
        if !onStream {
            for name in ["elicitation", "sampling", "roots"] { usable.removeValue(forKey: name) }
        } else if revision < .june2025 {
            usable.removeValue(forKey: "elicitation")
        } else if revision < .november2025, usable["elicitation"]?.objectValue != nil {
            // Its elicitation has no modes yet: it means forms.
            usable["elicitation"] = [:]
        }
        return ClientCapabilities(usable)
    }

    /// Whether the client declared this extension.
    package func supports(extension id: String) -> Bool { json["extensions"]?[id] != nil }

    /// The part of `required` that was not declared; empty when all was.
    package func missing(from required: JSONObject) -> JSONObject {
        var missing: JSONObject = [:]
        for (name, wanted) in required {
            guard let declared = json[name]?.objectValue else {
                missing[name] = wanted
                continue
            }
            let parts = ClientCapabilities(declared).missing(from: wanted.objectValue ?? [:])
            if !parts.isEmpty { missing[name] = .object(parts) }
        }
        return missing
    }
}

/// W3C trace context that came with a request.
package struct TraceContext: Sendable, Hashable {
    package var parent: String?
    package var state: String?
    package var baggage: String?

    package init(parent: String? = nil, state: String? = nil, baggage: String? = nil) {
        self.parent = parent
        self.state = state
        self.baggage = baggage
    }
}
