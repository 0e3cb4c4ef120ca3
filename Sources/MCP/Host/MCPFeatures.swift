package import JSON

/// What a server offers. What is off is neither declared nor answered.
package struct MCPFeatures: Sendable {
    package var tools = true
    package var prompts = false
    package var resources = false
    package var completions = false
    /// Log messages to the client (deprecated since 2026-07-28; needed by few).
    package var logging = false
    /// Change events the host's ``MCPHost/changes(for:)`` stream can carry.
    package var toolChanges = false
    package var promptChanges = false
    package var resourceChanges = false
    /// Updates of single resources.
    package var resourceUpdates = false
    /// Whether legacy `resources/subscribe` is answered. No legacy client gets an
    /// update over HTTP, since there is no stream outside a call.
    package var legacySubscriptions = false
    /// Extension id to its settings.
    package var extensions: JSONObject = [:]

    package init() {}

    /// Whether `subscriptions/listen` exists.
    var canListen: Bool { toolChanges || promptChanges || resourceChanges || resourceUpdates }

    /// The capabilities a revision's clients are told about.
    func capabilities(for revision: Revision) -> JSONObject {
        // Without a stream outside of calls a legacy client would wait in vain
        // for changes, so only modern ones hear of them.
        let listens = revision.isModern
        func family(_ flags: [(String, Bool)]) -> JSONValue {
            .object(JSONObject(flags.filter(\.1).map { ($0.0, .bool(true)) }))
        }
        var object: JSONObject = [:]
        if tools { object["tools"] = family([("listChanged", listens && toolChanges)]) }
        if prompts { object["prompts"] = family([("listChanged", listens && promptChanges)]) }
        if resources {
            object["resources"] = family([
                ("subscribe", listens ? resourceUpdates : legacySubscriptions),
                ("listChanged", listens && resourceChanges),
            ])
        }
        if completions, revision > .november2024 { object["completions"] = [:] }
        if logging { object["logging"] = [:] }
        if revision.isModern, !extensions.isEmpty { object["extensions"] = .object(extensions) }
        return object
    }
}

/// Something that changed on the server, for clients that listen.
package enum ChangeEvent: Sendable, Hashable {
    case tools
    case prompts
    case resources
    case resource(uri: String)
}
