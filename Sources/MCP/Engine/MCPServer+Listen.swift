import JSON

extension MCPServer {
    /// Streams the changes a client wants to hear of until the host's stream
    /// ends, then answers (2026-07-28, subscriptions).
    func listen(_ exchange: Exchange<Caller>) async throws -> [UInt8] {
        guard case .object(let wanted) = exchange.params["notifications"] else {
            throw MCPError.invalidParams("params.notifications must be an object")
        }
        guard let send = exchange.send else { throw HostMistake.listenWithoutStream }
        let accepted = Subscription(wanted, features)
        let meta: JSONObject = [MetaKey.subscriptionID: exchange.id.json]
        // Subscribe first: what changes after the acknowledgement is not missed.
        let changes = host.changes(for: exchange.caller)
        send(
            Envelope.notification(
                "notifications/subscriptions/acknowledged",
                ["_meta": .object(meta), "notifications": .object(accepted.json)]), .needed)
        for await change in changes where accepted.includes(change) {
            send(Self.notification(change, meta), .once)
        }
        // Also when the server stops: the result tells the client to listen elsewhere.
        return result(exchange, meta: meta) { _ in }
    }

    private static func notification(_ change: ChangeEvent, _ meta: JSONObject) -> [UInt8] {
        var params: JSONObject = ["_meta": .object(meta)]
        let method: String
        switch change {
        case .tools: method = "notifications/tools/list_changed"
        case .prompts: method = "notifications/prompts/list_changed"
        case .resources: method = "notifications/resources/list_changed"
        case .resource(let uri):
            method = "notifications/resources/updated"
            params["uri"] = .string(uri)
        }
        return Envelope.notification(method, params)
    }
}

/// The part of a client's wishes that the server fulfils (schema: SubscriptionFilter).
private struct Subscription {
    private let kinds: Set<ChangeEvent>
    private let uris: [String]

    init(_ wanted: JSONObject, _ features: MCPFeatures) {
        var kinds: Set<ChangeEvent> = []
        func take(_ member: String, _ isOffered: Bool, _ kind: ChangeEvent) {
            if isOffered, wanted[member] == true { kinds.insert(kind) }
        }
        take("toolsListChanged", features.toolChanges, .tools)
        take("promptsListChanged", features.promptChanges, .prompts)
        take("resourcesListChanged", features.resourceChanges, .resources)
        let asked = wanted["resourceSubscriptions"]?.arrayValue ?? []
        uris = features.resourceUpdates ? asked.compactMap(\.stringValue) : []
        self.kinds = kinds.union(uris.map { .resource(uri: $0) })
    }

    func includes(_ change: ChangeEvent) -> Bool { kinds.contains(change) }

    var json: JSONObject {
        var object: JSONObject = [:]
        if kinds.contains(.tools) { object["toolsListChanged"] = true }
        if kinds.contains(.prompts) { object["promptsListChanged"] = true }
        if kinds.contains(.resources) { object["resourcesListChanged"] = true }
        if !uris.isEmpty { object["resourceSubscriptions"] = .array(uris.map { .string($0) }) }
        return object
    }
}
