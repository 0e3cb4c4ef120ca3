package import JSON

/// What a server needs from the client's side before it can go on.
package struct InputRequired: Sendable {
    /// By a key of the server's choice; answers come back under it.
    package var requests: [(key: String, request: InputRequest)]
    /// What to remember until then. It is signed, not encrypted: no secrets.
    package var state: [UInt8]?

    /// At least one of the two must be given.
    package init(_ requests: KeyValuePairs<String, InputRequest>, state: [UInt8]? = nil) {
        self.requests = requests.map { ($0.key, $0.value) }
        self.state = state
    }
}

/// One question to the client (schema: InputRequest).
package struct InputRequest: Sendable, Hashable {
    package let method: String
    package let params: JSONObject
    /// What the client must have declared to be asked this.
    package let capability: JSONObject

    /// A flat form for the person at the client. Never for secrets.
    package static func elicit(message: String, schema: JSONValue) -> InputRequest {
        InputRequest(
            method: "elicitation/create", params: ["message": .string(message), "requestedSchema": schema],
            capability: ["elicitation": [:]])
    }

    /// A page for the person to open; no secrets in the URL.
    package static func open(url: String, message: String) -> InputRequest {
        InputRequest(
            method: "elicitation/create",
            params: ["mode": "url", "message": .string(message), "url": .string(url)],
            capability: ["elicitation": ["url": [:]]])
    }

    /// A question to the client's model (deprecated by 2026-07-28).
    package static func sample(_ params: JSONObject) -> InputRequest {
        InputRequest(method: "sampling/createMessage", params: params, capability: ["sampling": [:]])
    }

    /// The folders the client works in (deprecated by 2026-07-28).
    package static let roots = InputRequest(method: "roots/list", params: [:], capability: ["roots": [:]])

    func isAnswerable(by client: ClientCapabilities) -> Bool {
        switch method {
        case "elicitation/create": params["mode"] == "url" ? client.opensURLs : client.fillsForms
        case "sampling/createMessage": client.samples
        default: client.listsRoots
        }
    }

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("method", method)
        writer.key("params")
        writer.object(params)
        writer.endObject()
    }
}

/// What a person did with a form (schema: ElicitResult).
package enum ElicitationAnswer: Sendable, Hashable {
    /// Filled in. The content is unverified: validate it against the schema asked for.
    case accept(JSONObject)
    case decline
    case cancel

    /// Reads an entry of ``MCPContext/inputResponses``; anything unreadable counts as cancelled.
    package init(_ response: JSONValue) {
        switch response["action"]?.stringValue {
        case "accept": self = .accept(response["content"]?.objectValue ?? [:])
        case "decline": self = .decline
        default: self = .cancel
        }
    }
}

/// Why a client could not be asked while a call was running.
package enum AskError: Error, Sendable, Hashable {
    /// Modern client, or a transport or revision without questions.
    case unavailable
    /// No answer came within the limit.
    case timedOut
    /// Too many questions are open.
    case busy
    /// The client answered with an error, such as not knowing the method.
    case refused(String)
}
