import JSON

extension MCPServer {
    /// Runs an admitted request and encodes its response.
    func dispatch(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        switch exchange.request.method {
        case "ping", "resources/subscribe", "resources/unsubscribe": result(exchange) { _ in }
        case "server/discover":
            result(exchange, capacity: discovery.count + 512) { $0.rawMembers(discovery) }
        case "initialize": try initialize(exchange)
        case "logging/setLevel": try setLevel(exchange)
        case "tools/list": try listTools(exchange)
        case "tools/call": try await callTool(exchange)
        case "resources/list": try await listResources(exchange)
        case "resources/templates/list": try await listTemplates(exchange)
        case "resources/read": try await readResource(exchange)
        case "prompts/list": try await listPrompts(exchange)
        case "prompts/get": try await getPrompt(exchange)
        case "completion/complete": try await complete(exchange)
        case "subscriptions/listen": try await listen(exchange)
        default: throw MCPError.methodNotFound(exchange.request.method)
        }
    }

    /// Answers with the revision asked for, or the best legacy one: an unknown
    /// version is an offer to decline, not an error (2025-11-25, lifecycle).
    private func initialize(_ exchange: Exchange<Caller>) throws(MCPError) -> [UInt8] {
        guard case .string(let requested) = exchange.params["protocolVersion"] else {
            throw .invalidParams("params.protocolVersion must be a string")
        }
        let known = Revision(rawValue: requested).flatMap { $0.isModern ? nil : $0 }
        let revision = known ?? .latestLegacy
        exchange.session?.update { session in
            session.isOpen = true
            session.revision = revision
            session.client = ClientInfo(exchange.params["clientInfo"])
            session.capabilities = ClientCapabilities(exchange.params["capabilities"]?.objectValue ?? [:])
        }
        return result(exchange) { writer in
            writer.member("protocolVersion", revision.rawValue)
            writer.key("capabilities")
            writer.object(features.capabilities(for: revision))
            writer.key("serverInfo")
            writer.object(host.info.json(for: revision))
            if revision > .november2024 { writer.member("instructions", ifPresent: host.instructions) }
        }
    }

    private func setLevel(_ exchange: Exchange<Caller>) throws(MCPError) -> [UInt8] {
        guard let level = exchange.params["level"]?.stringValue.flatMap(MessageLogger.Level.init) else {
            throw .invalidParams("params.level must be a log level")
        }
        exchange.session?.update { $0.logLevel = level }
        return result(exchange) { _ in }
    }

    private func listTools(_ exchange: Exchange<Caller>) throws(MCPError) -> [UInt8] {
        let catalog = host.tools(for: exchange.caller)
        return try list(exchange, catalog.list, catalog.caching)
    }

    private func listResources(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        let catalog = try await host.resources(for: exchange.caller)
        return try list(exchange, catalog.resourceList, catalog.caching)
    }

    private func listTemplates(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        let catalog = try await host.resources(for: exchange.caller)
        return try list(exchange, catalog.templateList, catalog.caching)
    }

    private func listPrompts(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        let catalog = try await host.prompts(for: exchange.caller)
        return try list(exchange, catalog.list, catalog.caching)
    }

    /// Lists are one page, so no cursor can be valid.
    private func list(
        _ exchange: Exchange<Caller>, _ list: EncodedList, _ caching: Caching
    ) throws(MCPError) -> [UInt8] {
        if let cursor = exchange.params["cursor"], !cursor.isNull {
            throw .invalidParams("params.cursor is not one of this server's")
        }
        let members = list.members(for: exchange.revision)
        return result(exchange, capacity: members.count + 512) { writer in
            writer.rawMembers(members)
            if exchange.revision.isModern { caching.write(to: &writer) }
        }
    }

    private func complete(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        let params = exchange.params
        guard let argument = params["argument"]?["name"]?.stringValue,
            let value = params["argument"]?["value"]?.stringValue
        else { throw MCPError.invalidParams("params.argument needs name and value, both strings") }
        let reference: CompletionRequest<Caller>.Reference
        switch (params["ref"]?["type"], params["ref"]?["name"], params["ref"]?["uri"]) {
        case ("ref/prompt", .string(let name), _): reference = .prompt(name)
        case ("ref/resource", _, .string(let uri)): reference = .resourceTemplate(uri)
        default: throw MCPError.invalidParams("params.ref must be a ref/prompt or a ref/resource")
        }
        let completion = try await host.complete(
            CompletionRequest(
                reference: reference, argument: argument, value: value,
                settled: try strings(params["context"]?["arguments"], "params.context.arguments"),
                context: try context(exchange)))
        return result(exchange) { writer in
            let values = completion.values.prefix(Self.maximumCompletions)
            let total = completion.total ?? completion.values.count
            writer.key("completion")
            writer.beginObject()
            writer.key("values")
            writer.value(.array(values.map { .string($0) }))
            writer.key("total")
            writer.int(total)
            writer.member("hasMore", total > values.count)
            writer.endObject()
        }
    }

    /// The protocol's limit (completion).
    private static var maximumCompletions: Int { 100 }

    /// An object of strings; absent is empty.
    func strings(_ value: JSONValue?, _ path: String) throws(MCPError) -> [String: String] {
        guard let value, !value.isNull else { return [:] }
        guard case .object(let object) = value else { throw .invalidParams("\(path) must be an object") }
        var strings: [String: String] = [:]
        for (key, value) in object {
            guard case .string(let text) = value else {
                throw .invalidParams("\(path).\(key) must be a string")
            }
            strings[key] = text
        }
        return strings
    }
}
