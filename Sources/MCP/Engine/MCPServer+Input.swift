import JSON

/// How a call that may need input ended.
enum Settled<Outcome: Sendable>: Sendable {
    case done(Outcome)
    /// An `input_required` response, encoded.
    case response([UInt8])
}

extension MCPServer {
    /// Runs a call until it needs no more input from the client.
    ///
    /// A modern client gets `input_required` and calls again. A legacy client
    /// is asked over its stream while the call waits, and the call is run again
    /// here, so hosts are written for the modern form only.
    func settle<Outcome: Sendable>(
        _ exchange: Exchange<Caller>, input: (Outcome) -> InputRequired?,
        run: (MCPContext<Caller>) async throws -> Outcome
    ) async throws -> Settled<Outcome> {
        var context = try context(exchange)
        defer { context.progress.close() }
        for _ in 0..<configuration.maximumRounds {
            let outcome = try await run(context)
            guard let needed = input(outcome) else { return .done(outcome) }
            if needed.requests.isEmpty, needed.state == nil { throw HostMistake.emptyInputRequired }
            if exchange.revision.isModern { return .response(try inputRequired(needed, exchange, context)) }
            // All or nothing: a person is not asked for what will be thrown away.
            guard needed.requests.allSatisfy({ $0.request.isAnswerable(by: context.capabilities) }) else {
                throw AskError.unavailable
            }
            var answers: JSONObject = [:]
            for (key, request) in needed.requests { answers[key] = try await context.ask(request) }
            context = context.continued(answers, needed.state)
        }
        throw AskError.unavailable
    }

    /// The request's context; its state is verified here.
    func context(_ exchange: Exchange<Caller>) throws(MCPError) -> MCPContext<Caller> {
        let meta = exchange.request.meta
        let session = exchange.session?.snapshot
        let isModern = exchange.revision.isModern
        var responses: JSONObject = [:]
        if isModern, let given = exchange.params["inputResponses"] {
            guard case .object(let object) = given else {
                throw .invalidParams("params.inputResponses must be an object")
            }
            responses = object
        }
        return MCPContext(
            caller: exchange.caller, revision: exchange.revision, requestID: exchange.id,
            client: isModern ? ClientInfo(meta?[MetaKey.clientInfo]) : session?.client,
            capabilities: exchange.capabilities,
            trace: TraceContext(
                parent: meta?["traceparent"]?.stringValue ?? exchange.trace.parent,
                state: meta?["tracestate"]?.stringValue ?? exchange.trace.state,
                baggage: meta?["baggage"]?.stringValue ?? exchange.trace.baggage),
            inputResponses: responses, state: isModern ? try openState(exchange) : nil,
            progress: progress(exchange), logger: logger(exchange), asker: asker(exchange))
    }

    private func progress(_ exchange: Exchange<Caller>) -> ProgressReporter {
        let token = exchange.progressToken
        return ProgressReporter(
            token: token?.json ?? .null, revision: exchange.revision,
            send: token == nil ? nil : exchange.send)
    }

    private func logger(_ exchange: Exchange<Caller>) -> MessageLogger {
        let level: MessageLogger.Level?
        if exchange.revision.isModern {
            level = exchange.request.meta?[MetaKey.logLevel]?.stringValue.flatMap(MessageLogger.Level.init)
        } else {
            level = exchange.session?.snapshot.logLevel ?? .info
        }
        return MessageLogger(threshold: features.logging ? level : nil, send: exchange.send)
    }

    private func asker(_ exchange: Exchange<Caller>) -> ClientAsker? {
        let capabilities = exchange.capabilities
        guard !exchange.revision.isModern, let send = exchange.send, capabilities.answers else { return nil }
        return ClientAsker(
            pending: pending, identity: exchange.identity, capabilities: capabilities,
            limit: configuration.answerLimit, send: send)
    }

    private func inputRequired(
        _ needed: InputRequired, _ exchange: Exchange<Caller>, _ context: MCPContext<Caller>
    ) throws -> [UInt8] {
        for (_, request) in needed.requests where !request.isAnswerable(by: context.capabilities) {
            throw MCPError.missingCapability(request.capability)
        }
        var sealed: String?
        if let state = needed.state {
            guard let seal = configuration.seal else { throw HostMistake.stateWithoutSeal }
            sealed = seal.seal(state, binding(exchange))
        }
        return result(exchange, type: "input_required") { writer in
            if !needed.requests.isEmpty {
                writer.key("inputRequests")
                writer.beginObject()
                for (key, request) in needed.requests {
                    writer.key(key)
                    request.write(to: &writer)
                }
                writer.endObject()
            }
            writer.member("requestState", ifPresent: sealed)
        }
    }

    private func openState(_ exchange: Exchange<Caller>) throws(MCPError) -> [UInt8]? {
        guard let given = exchange.params["requestState"] else { return nil }
        guard case .string(let sealed) = given,
            let state = configuration.seal?.open(sealed, binding(exchange))
        else {
            throw .invalidParams(
                "params.requestState is not valid here, or has expired; call again without it")
        }
        return state
    }

    private func binding(_ exchange: Exchange<Caller>) -> StateSeal.Binding {
        StateSeal.Binding(
            caller: exchange.identity, method: exchange.request.method, name: exchange.subject ?? "",
            arguments: (exchange.params["arguments"] ?? [:]).encoded(sortedKeys: true))
    }
}

/// Something a host must not do; reported to it as an incident.
enum HostMistake: Error {
    /// ``InputRequired`` with neither a request nor a state.
    case emptyInputRequired
    /// A state was returned and the configuration has no ``MCPConfiguration/seal``.
    case stateWithoutSeal
    /// A transport without streams passed `subscriptions/listen` on.
    case listenWithoutStream
}

extension MCPContext {
    /// The same request with the answers to what it asked.
    func continued(_ responses: JSONObject, _ state: [UInt8]?) -> MCPContext {
        MCPContext(
            caller: caller, revision: revision, requestID: requestID, client: client,
            capabilities: capabilities,
            trace: trace, inputResponses: responses, state: state, progress: progress, logger: logger,
            asker: asker)
    }
}
