import JSON
import Kernel
package import MCP
import Storage

/// Ledger and audit entries as resources, read through the runner like any call.
enum MCPResources {
    static let templates = [
        MCPResourceTemplate(
            uriTemplate: "instainstru://webhooks/{id}", name: "webhook", title: "Webhook event",
            description: "One event of the webhook ledger, whole.", mimeType: "application/json"),
        MCPResourceTemplate(
            uriTemplate: "instainstru://audit/{id}", name: "audit_entry", title: "Audit entry",
            description: "One entry of the audit log with its seal.", mimeType: "application/json"),
    ]

    /// The operation and arguments that a URI stands for.
    static func call(_ uri: String) -> (operation: String, arguments: JSONObject)? {
        func id(after prefix: String) -> String? {
            guard uri.hasPrefix(prefix), let id = ULID(String(uri.dropFirst(prefix.count))) else {
                return nil
            }
            return id.description
        }
        if let id = id(after: "instainstru://webhooks/") {
            return ("webhook_detail", ["event_id": .string(id), "full_payload": true])
        }
        if let id = id(after: "instainstru://audit/") { return ("audit_entry", ["entry_id": .string(id)]) }
        return nil
    }
}

extension MCPSurface {
    package func read(_ read: ResourceRead<MCPCaller>) async throws -> ResourceOutcome {
        guard let (operation, arguments) = MCPResources.call(read.uri) else {
            throw MCPError.resourceNotFound(read.uri)
        }
        do {
            let answer = try await platform.runner.call(
                operation, arguments, context(read.context.caller, read.context))
            let text = String(decoding: answer.bytes, as: UTF8.self)
            return .contents([ResourceContents(uri: read.uri, mimeType: "application/json", .text(text))])
        } catch let failure as Failure where failure.code == .notFound {
            throw MCPError.resourceNotFound(read.uri)
        }
    }

    /// Ids and words for what is being typed; ids only of rows the caller may list anyway.
    package func complete(_ request: CompletionRequest<MCPCaller>) async throws -> Completion {
        switch request.reference {
        case .prompt(MCPPrompts.triage.name) where request.argument == "source":
            return Completion(
                platform.features.flatMap(\.webhooks).map { $0.name }.filter { $0.hasPrefix(request.value) })
        case .prompt(MCPPrompts.triage.name): return Completion([])
        case .resourceTemplate("instainstru://webhooks/{id}"):
            return Completion(try await ids("webhook_events", request))
        case .resourceTemplate("instainstru://audit/{id}"):
            return Completion(try await ids("audit_logs", request))
        case .prompt(let name): throw MCPError.invalidParams("There is no prompt named '\(name)'")
        case .resourceTemplate(let uri):
            throw MCPError.invalidParams("There is no resource template '\(uri)'")
        }
    }

    private func ids(_ table: String, _ request: CompletionRequest<MCPCaller>) async throws -> [String] {
        guard request.context.caller.actor.scopes.contains(.read) else { return [] }
        let typed = request.value.uppercased()
        return try await platform.database.read { db in
            let newest: [String] = try db.values(
                "SELECT id FROM \(identifier: table) ORDER BY id DESC LIMIT 200")
            return Array(newest.filter { $0.hasPrefix(typed) }.prefix(100))
        }
    }
}
