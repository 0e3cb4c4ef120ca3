import JSON

/// Why a request is not processed, with what HTTP needs to say so.
struct Refusal: Error {
    var status: Int
    var error: MCPError
    var id: RequestID?
    var headers: [(name: String, value: String)] = []
}

extension MCPServer {
    /// Decides everything that must be decided before work or a stream begins:
    /// the method exists, its subject is named, the caller may have it, the
    /// tool exists and the client can do what the tool needs. Returns the tool.
    func admit(_ exchange: Exchange<Caller>) throws(Refusal) -> MCPTool? {
        func refuse(_ error: MCPError) -> Refusal {
            Refusal(
                status: error.status(for: exchange.revision), error: error.spelled(for: exchange.revision),
                id: exchange.id)
        }
        let method = exchange.request.method
        guard isOffered(method, exchange.revision) else { throw refuse(.methodNotFound(method)) }
        if Self.methodsWithSubject.contains(method), exchange.subject == nil {
            let member = method.hasPrefix("resources/") ? "uri" : "name"
            throw refuse(.invalidParams("params.\(member) must be a string"))
        }
        if let problem = host.authorize(method: method, name: exchange.subject, caller: exchange.caller) {
            throw Refusal(
                status: problem.status, error: MCPError(code: MCPError.forbiddenCode, problem.message),
                id: exchange.id, headers: [("www-authenticate", problem.challenge.headerValue)])
        }
        guard method == "tools/call", let name = exchange.subject else { return nil }
        guard let tool = host.tools(for: exchange.caller)[name] else {
            throw refuse(.invalidParams("There is no tool named '\(name)'"))
        }
        if exchange.revision.isModern, !tool.requiredCapabilities.isEmpty {
            let missing = exchange.capabilities.missing(from: tool.requiredCapabilities)
            if !missing.isEmpty { throw refuse(.missingCapability(missing)) }
        }
        return tool
    }

    private static var methodsWithSubject: Set<String> {
        ["tools/call", "prompts/get", "resources/read", "resources/subscribe", "resources/unsubscribe"]
    }

    /// Whether a revision has the method and the host the feature behind it.
    private func isOffered(_ method: String, _ revision: Revision) -> Bool {
        switch method {
        case "tools/list", "tools/call": features.tools
        case "prompts/list", "prompts/get": features.prompts
        case "resources/list", "resources/templates/list", "resources/read": features.resources
        case "completion/complete": features.completions
        case "server/discover": revision.isModern
        case "subscriptions/listen": revision.isModern && features.canListen
        case "initialize", "ping": !revision.isModern
        case "logging/setLevel": !revision.isModern && features.logging
        case "resources/subscribe", "resources/unsubscribe":
            !revision.isModern && features.legacySubscriptions
        default: false
        }
    }

    /// The metadata every modern request must carry (2026-07-28, `_meta`).
    func checkMeta(_ request: Message.Request) throws(MCPError) {
        guard let meta = request.meta else { throw .invalidParams("params._meta must be an object") }
        guard case .string = meta[MetaKey.protocolVersion] else {
            throw .invalidParams("params._meta needs '\(MetaKey.protocolVersion)', a string")
        }
        guard case .object = meta[MetaKey.clientCapabilities] else {
            throw .invalidParams("params._meta needs '\(MetaKey.clientCapabilities)', an object")
        }
        if let level = meta[MetaKey.logLevel], level.stringValue.flatMap(MessageLogger.Level.init) == nil {
            throw .invalidParams("params._meta has an unknown '\(MetaKey.logLevel)'")
        }
    }

    /// The modern revision a request asks for.
    func modernRevision(_ request: Message.Request) throws(MCPError) -> Revision {
        let requested = request.meta?[MetaKey.protocolVersion]?.stringValue ?? ""
        guard let revision = Revision(rawValue: requested), revision.isModern else {
            throw .unsupportedVersion(requested)
        }
        return revision
    }

    /// Whether a message claims to be of the modern era by its body.
    static func isModern(_ params: JSONObject) -> Bool {
        params["_meta"]?.objectValue?.contains(MetaKey.protocolVersion) ?? false
    }
}
