import JSON

extension MCPServer {
    func callTool(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        let name = exchange.subject ?? ""
        let arguments = try self.arguments(exchange)
        let settled: Settled<ToolOutcome>
        do {
            settled = try await settle(exchange) { outcome in
                if case .inputRequired(let input) = outcome { input } else { nil }
            } run: { context in
                try await host.call(ToolCall(name: name, arguments: arguments, context: context))
            }
        } catch let problem as AskError {
            settled = .done(.failure(Self.explanation(problem)))
        }
        switch settled {
        case .response(let bytes): return bytes
        case .done(.inputRequired): throw AskError.unavailable
        case .done(.result(let tool)):
            let capacity = (tool.structured?.count ?? 0) * 5 / 2 + 1024
            return result(exchange, meta: tool.meta, capacity: capacity) { writer in
                tool.writeMembers(to: &writer, for: exchange.revision)
            }
        }
    }

    func readResource(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        let uri = exchange.subject ?? ""
        let settled = try await settleOrExplain(exchange) { (outcome: ResourceOutcome) in
            if case .inputRequired(let input) = outcome { input } else { nil }
        } run: { context in
            try await host.read(ResourceRead(uri: uri, context: context))
        }
        switch settled {
        case .response(let bytes): return bytes
        case .done(.inputRequired): throw AskError.unavailable
        case .done(.contents(let contents, let caching)):
            return result(exchange) { writer in
                writer.key("contents")
                writer.beginArray()
                for content in contents { content.write(to: &writer) }
                writer.endArray()
                if exchange.revision.isModern { caching.write(to: &writer) }
            }
        }
    }

    func getPrompt(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        let name = exchange.subject ?? ""
        let arguments = try strings(exchange.params["arguments"], "params.arguments")
        guard let prompt = try await host.prompts(for: exchange.caller)[name] else {
            throw MCPError.invalidParams("There is no prompt named '\(name)'")
        }
        for argument in prompt.arguments where argument.isRequired && arguments[argument.name] == nil {
            throw MCPError.invalidParams("The prompt needs the argument '\(argument.name)'")
        }
        let settled = try await settleOrExplain(exchange) { (outcome: PromptOutcome) in
            if case .inputRequired(let input) = outcome { input } else { nil }
        } run: { context in
            try await host.prompt(PromptCall(name: name, arguments: arguments, context: context))
        }
        switch settled {
        case .response(let bytes): return bytes
        case .done(.inputRequired): throw AskError.unavailable
        case .done(.messages(let messages, let description)):
            return result(exchange) { writer in
                writer.member("description", ifPresent: description)
                writer.key("messages")
                writer.beginArray()
                for message in messages { message.write(to: &writer, for: exchange.revision) }
                writer.endArray()
            }
        }
    }

    /// The arguments of a tool call; absent is empty.
    private func arguments(_ exchange: Exchange<Caller>) throws(MCPError) -> JSONObject {
        switch exchange.params["arguments"] {
        case nil, .null: return [:]
        case .object(let arguments): return arguments
        default: throw .invalidParams("params.arguments must be an object")
        }
    }

    /// Outside of tool calls there is no `isError`: a question that cannot be
    /// asked is an error of the request.
    private func settleOrExplain<Outcome: Sendable>(
        _ exchange: Exchange<Caller>, input: (Outcome) -> InputRequired?,
        run: (MCPContext<Caller>) async throws -> Outcome
    ) async throws -> Settled<Outcome> {
        do {
            return try await settle(exchange, input: input, run: run)
        } catch let problem as AskError {
            throw MCPError.invalidParams(Self.explanation(problem))
        }
    }

    /// What a model or person can do about an unanswered question.
    private static func explanation(_ problem: AskError) -> String {
        switch problem {
        case .unavailable:
            "This needs an answer from the user, and this client cannot ask for it here. "
                + "Ask the user and pass the answer as an argument."
        case .timedOut: "The user did not answer in time. Ask again, or pass the answer as an argument."
        case .busy: "Too many questions to users are open. Try again in a minute."
        case .refused: "The client could not ask the user. Ask the user and pass the answer as an argument."
        }
    }
}
