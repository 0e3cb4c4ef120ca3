import JSON

extension MCPServer {
    /// Answers one HTTP request to the endpoint.
    ///
    /// The caller has authenticated it (401 is not ours; see
    /// ``BearerChallenge``). GET and DELETE get 405, since there are no
    /// sessions and no stream outside of requests. The checks run in the order
    /// the specification's reference implementations use, the cheap and the
    /// security relevant first, and all of them before a stream begins.
    package func respond(to request: MCPHTTPRequest, caller: Caller) async -> MCPHTTPResponse {
        do throws(Refusal) {
            try checkTransport(request)
            switch try readMessage(request.body) {
            case .notification:
                // A cancellation is not honoured: ids are the clients' own, and
                // one client must not cancel another's request.
                try checkVersionHeader(request.headers)
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
        let revision = try revision(of: message, headers, caller)
        var exchange = Exchange(
            request: message, caller: caller, identity: host.identity(of: caller), revision: revision)
        exchange.trace = TraceContext(
            parent: headers["traceparent"], state: headers["tracestate"], baggage: headers["baggage"])
        let tool = try admit(exchange)
        if needsStream(exchange, tool, headers) { return .stream(stream(exchange)) }
        let reply = await process(exchange)
        return .complete(status: reply.status, headers: Self.jsonHeaders, body: reply.body)
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
        guard pending.deliver(answer, to: id, from: host.identity(of: caller)) else {
            throw Refusal(status: 400, error: .invalidRequest("No request of this server has that id"))
        }
    }

    /// Streams only what needs it, and only for clients that take streams.
    private func needsStream(_ exchange: Exchange<Caller>, _ tool: MCPTool?, _ headers: HTTPHeaders) -> Bool {
        if exchange.request.method == "subscriptions/listen" { return true }
        guard let tool, !tool.streaming.isEmpty else { return false }
        let accepted = headers.values("accept").joined(separator: ",").lowercased()
        guard accepted.contains("text/event-stream") || accepted.contains("*/*") else { return false }
        return tool.streaming.contains(.always)
            || tool.streaming.contains(.questions) && !exchange.revision.isModern
            || tool.streaming.contains(.progress) && exchange.request.meta?["progressToken"] != nil
    }
}
