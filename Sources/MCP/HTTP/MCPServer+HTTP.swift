import JSON

extension MCPServer {
    /// Answers one HTTP request to the endpoint.
    ///
    /// The caller has authenticated it (401 is not ours; see
    /// ``BearerChallenge``). GET and DELETE get 405, since there is no stream
    /// outside of requests and a session is the client's. The checks run in the order
    /// the specification's reference implementations use, the cheap and the
    /// security relevant first, and all of them before a stream begins.
    package func respond(to request: MCPHTTPRequest, caller: Caller) async -> MCPHTTPResponse {
        do throws(Refusal) {
            try checkTransport(request)
            switch try readMessage(request.body) {
            case .notification(_, let params):
                // A cancellation is not honoured: ids are the clients' own, and
                // one client must not cancel another's request.
                try checkVersionHeader(request.headers)
                try checkSession(request.headers, params, caller)
                return .complete(status: 202, headers: [], body: [])
            case .response(let id, let answer):
                try take(answer, id, request.headers, caller)
                return .complete(status: 202, headers: [], body: [])
            case .request(let message):
                return try await respond(to: message, request.headers, caller)
            }
        } catch {
            return .complete(
                status: error.status, headers: error.headers + Self.jsonHeaders,
                body: Envelope.error(error.error, id: error.id))
        }
    }

    static var jsonHeaders: [(name: String, value: String)] { [("content-type", "application/json")] }

    private func respond(
        to message: Message.Request, _ headers: HTTPHeaders, _ caller: Caller
    ) async throws(Refusal) -> MCPHTTPResponse {
        var exchange = try exchange(message, headers, caller)
        exchange.trace = TraceContext(
            parent: headers["traceparent"], state: headers["tracestate"], baggage: headers["baggage"])
        let tool = try admit(exchange)
        if needsStream(exchange, tool, headers) { return .stream(stream(exchange)) }
        let reply = await process(exchange)
        let headers = Self.jsonHeaders + sessionHeaders(exchange)
        return .complete(status: reply.status, headers: headers, body: reply.body)
    }

    /// Finds out the era, and from it the revision and what the client can do.
    private func exchange(
        _ message: Message.Request, _ headers: HTTPHeaders, _ caller: Caller
    ) throws(Refusal) -> Exchange<Caller> {
        let identity = host.identity(of: caller)
        guard isLegacy(headers, message.params) else {
            let revision = try modernRevision(of: message, headers, caller)
            return Exchange(request: message, caller: caller, identity: identity, revision: revision)
        }
        // A client that starts anew may still hold on to an id that is no longer good.
        let isNew = message.method == "initialize"
        let session = isNew ? LegacySession() : try session(headers, identity, id: message.id)
        let revision = namedRevision(headers) ?? session?.snapshot.revision ?? .assumed
        var exchange = Exchange(request: message, caller: caller, identity: identity, revision: revision)
        exchange.session = session
        return exchange
    }

    private func checkTransport(_ request: MCPHTTPRequest) throws(Refusal) {
        if let reason = configuration.access.refusal(request.headers) {
            throw Refusal(status: 403, error: .invalidRequest(reason))
        }
        guard request.method == "POST" else {
            throw Refusal(
                status: 405, error: .invalidRequest("Only POST is answered here"),
                headers: [("allow", "POST")])
        }
        let type = request.headers["content-type"]?.prefix { $0 != ";" && $0 != " " }.lowercased()
        guard type == "application/json" else {
            throw Refusal(status: 415, error: .invalidRequest("Content-Type must be application/json"))
        }
        guard request.body.count <= configuration.maximumBodyBytes else {
            let limit = configuration.maximumBodyBytes
            throw Refusal(status: 413, error: .invalidRequest("The body is larger than \(limit) bytes"))
        }
    }

    private func readMessage(_ body: [UInt8]) throws(Refusal) -> Message {
        let document: JSONValue
        do throws(JSONError) {
            document = try JSONValue(parsing: body, maximumDepth: configuration.maximumDepth)
        } catch {
            throw Refusal(status: 400, error: .parseError(error))
        }
        do throws(Message.Problem) {
            return try Message.read(document)
        } catch {
            throw Refusal(status: 400, error: error.error, id: error.id)
        }
    }

    /// A legacy client's answer to a question of ours.
    private func take(
        _ answer: PendingAnswers.Answer, _ id: RequestID, _ headers: HTTPHeaders, _ caller: Caller
    ) throws(Refusal) {
        try checkVersionHeader(headers)
        try checkSession(headers, [:], caller)
        guard pending.deliver(answer, to: id, from: host.identity(of: caller)) else {
            throw Refusal(status: 400, error: .invalidRequest("No request of this server has that id"))
        }
    }

    /// Streams only what needs it, and only for clients that take streams.
    private func needsStream(_ exchange: Exchange<Caller>, _ tool: MCPTool?, _ headers: HTTPHeaders) -> Bool {
        if exchange.request.method == "subscriptions/listen" { return true }
        guard let tool, !tool.streaming.isEmpty, Self.acceptsStream(headers) else { return false }
        if tool.streaming.contains(.always) { return true }
        if tool.streaming.contains(.progress), exchange.progressToken != nil { return true }
        guard !exchange.revision.isModern else { return false }
        let client = exchange.declared.usable(in: exchange.revision, onStream: true)
        return tool.streaming.contains(.questions) && (client.fillsForms || client.opensURLs)
            || tool.streaming.contains(.sampling) && client.samples
    }

    /// A range with a weight of nought is one the client does not want (RFC 9110 §12.5.1).
    private static func acceptsStream(_ headers: HTTPHeaders) -> Bool {
        let ranges = headers.values("accept").joined(separator: ",").lowercased().split(separator: ",")
        return ranges.contains { range in
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" } }
            guard let type = parts.first, ["text/event-stream", "text/*", "*/*"].contains(type) else {
                return false
            }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }
            return weight.flatMap { Double($0.dropFirst(2)) } != 0
        }
    }
}
