import JSON

/// A server of the Model Context Protocol over any transport.
///
/// It keeps no state about clients: every request is answered from itself
/// (2026-07-28) or, for earlier revisions, from what its transport or its
/// session id says, which holds the session instead of naming it. Only
/// questions that wait for an answer are remembered, in this process.
package struct MCPServer<Host: MCPHost>: Sendable {
    package typealias Caller = Host.Caller

    package let host: Host
    package let configuration: MCPConfiguration
    let features: MCPFeatures
    let pending: PendingAnswers
    /// `"io.modelcontextprotocol/serverInfo":{…}`, which every modern result carries.
    let serverInfo: [UInt8]
    /// The members of the discover result; they never change.
    let discovery: [UInt8]

    /// Reads the host's self-description once.
    package init(host: Host, configuration: MCPConfiguration = MCPConfiguration()) {
        self.host = host
        self.configuration = configuration
        features = host.features
        pending = PendingAnswers(limit: configuration.maximumQuestions)
        var writer = JSONWriter()
        writer.key(MetaKey.serverInfo)
        writer.object(host.info.json(for: .july2026))
        serverInfo = writer.bytes
        discovery = Self.discovery(host, configuration)
    }

    private static func discovery(_ host: Host, _ configuration: MCPConfiguration) -> [UInt8] {
        var writer = JSONWriter(capacity: 1024)
        writer.key("supportedVersions")
        writer.value(.array(Revision.modern.map { .string($0.rawValue) }))
        writer.key("capabilities")
        writer.object(host.features.capabilities(for: .july2026))
        writer.member("instructions", ifPresent: host.instructions)
        configuration.discoverCaching.write(to: &writer)
        return writer.bytes
    }

    /// Processes an admitted request to its response.
    func process(_ exchange: Exchange<Caller>) async -> Reply {
        do {
            return Reply(status: 200, body: try await dispatch(exchange))
        } catch let error as MCPError {
            return failure(error, exchange)
        } catch {
            // Read only when the server stopped; a client that cancelled gets no response.
            if Task.isCancelled {
                return failure(.internalError("The server stopped the request; send it again"), exchange)
            }
            let text = host.incident(error, method: exchange.request.method, name: exchange.subject)
            return failure(.internalError(text), exchange)
        }
    }

    func failure(_ error: MCPError, _ exchange: Exchange<Caller>) -> Reply {
        Reply(
            status: error.status(for: exchange.revision),
            body: Envelope.error(error.spelled(for: exchange.revision), id: exchange.id))
    }

    /// The result of a request: the members, then what every result of its era has.
    func result(
        _ exchange: Exchange<Caller>, type: String = "complete", meta: JSONObject = [:],
        capacity: Int = 512,
        _ members: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        Envelope.result(id: exchange.id, capacity: capacity) { writer in
            members(&writer)
            let isModern = exchange.revision.isModern
            if isModern { writer.member("resultType", type) }
            guard isModern || !meta.isEmpty else { return }
            writer.key("_meta")
            writer.beginObject()
            if isModern { writer.rawMembers(serverInfo) }
            for (key, value) in meta {
                writer.key(key)
                writer.value(value)
            }
            writer.endObject()
        }
    }
}

/// A response and the HTTP status it takes when nothing was streamed.
struct Reply: Sendable {
    var status: Int
    var body: [UInt8]
}
