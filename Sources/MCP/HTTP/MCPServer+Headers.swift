import JSON

extension MCPServer {
    private static var versionHeader: String { "mcp-protocol-version" }

    /// Decides the era of a message: modern if its header or its body says so.
    /// An unknown version is modern, since that era can refuse it with a reason.
    func isLegacy(_ headers: HTTPHeaders, _ params: JSONObject) -> Bool {
        let isLegacyHeader = headers[Self.versionHeader] == nil || namedRevision(headers)?.isModern == false
        return isLegacyHeader && !Self.isModern(params)
    }

    /// The revision in the header, if it is a known one.
    func namedRevision(_ headers: HTTPHeaders) -> Revision? {
        headers[Self.versionHeader].flatMap(Revision.init)
    }

    /// The revision of a modern request, whose headers must say what its body
    /// says (2026-07-28, Server Validation).
    func modernRevision(
        of request: Message.Request, _ headers: HTTPHeaders, _ caller: Caller
    ) throws(Refusal) -> Revision {
        do throws(MCPError) {
            return try checkModern(request, headers, caller)
        } catch {
            throw Refusal(status: error.status(for: .july2026), error: error, id: request.id)
        }
    }

    /// Messages without metadata have only the header; an unknown version is refused.
    func checkVersionHeader(_ headers: HTTPHeaders) throws(Refusal) {
        guard let version = headers[Self.versionHeader], Revision(rawValue: version) == nil else { return }
        throw Refusal(status: 400, error: .unsupportedVersion(version))
    }

    private func checkModern(
        _ request: Message.Request, _ headers: HTTPHeaders, _ caller: Caller
    ) throws(MCPError) -> Revision {
        for name in [Self.versionHeader, "mcp-method", "mcp-name"] where headers.count(name) > 1 {
            throw .headerMismatch("The header \(name) appears more than once")
        }
        try checkMeta(request)
        try compare(Self.versionHeader, headers, request.meta?[MetaKey.protocolVersion]?.stringValue)
        try compare("mcp-method", headers, request.method)
        switch request.method {
        case "tools/call", "prompts/get":
            try compare("mcp-name", headers, request.params["name"]?.stringValue)
        case "resources/read": try compare("mcp-name", headers, request.params["uri"]?.stringValue)
        default: break
        }
        let revision = try modernRevision(request)
        if request.method == "tools/call" { try checkParameters(request, headers, caller) }
        return revision
    }

    /// Values are compared with case; a name may be Base64 for what headers cannot carry.
    private func compare(_ name: String, _ headers: HTTPHeaders, _ expected: String?) throws(MCPError) {
        // Without a value in the body there is nothing to repeat; params are checked later.
        guard let expected else { return }
        guard let field = headers[name] else { throw .headerMismatch("The header \(name) is missing") }
        guard HeaderValue.decode(field) == expected else {
            throw .headerMismatch("The header \(name) does not match the body")
        }
    }

    private func checkParameters(
        _ request: Message.Request, _ headers: HTTPHeaders, _ caller: Caller
    ) throws(MCPError) {
        guard let name = request.params["name"]?.stringValue else { return }
        let parameters = host.tools(for: caller).headerParameters(of: name)
        guard !parameters.isEmpty else { return }
        let arguments = request.params["arguments"]?.objectValue ?? [:]
        for parameter in parameters where !parameter.matches(arguments, headers) {
            throw .headerMismatch("The header \(parameter.header) does not match the arguments")
        }
    }
}
