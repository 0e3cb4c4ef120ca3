import JSON
import MCP
import Synchronization

/// The server under test of the public MCP conformance suite: fixtures only,
/// on the library the product uses. Never shipped.
struct ConformanceHost: MCPHost {
    /// There are no identities: every client is the same caller.
    struct Caller: Sendable {}

    let info = Implementation(name: "mcp-conformance", version: "1.0.0", title: "Conformance fixtures")
    let instructions: String? = "Fixtures for the public conformance suite."
    private let catalog: ToolCatalog
    private let runs: [String: Fixture.Run]
    private let resourceFixtures = ResourceFixtures()
    private let broadcaster: Broadcaster

    init() {
        let broadcaster = Broadcaster()
        let fixtures =
            ContentFixtures.all + InteractionFixtures.all(broadcaster) + ElicitationFixtures.all
            + InputFixtures.all
        self.broadcaster = broadcaster
        catalog = ToolCatalog(fixtures.map(\.tool), caching: Caching(milliseconds: 1000, scope: .public))
        runs = Dictionary(fixtures.map { ($0.tool.name, $0.run) }) { first, _ in first }
    }

    var features: MCPFeatures {
        var features = MCPFeatures()
        features.prompts = true
        features.resources = true
        features.completions = true
        features.logging = true
        features.toolChanges = true
        features.promptChanges = true
        features.resourceUpdates = true
        features.legacySubscriptions = true
        return features
    }

    func identity(of caller: Caller) -> String { "suite" }
    func tools(for caller: Caller) -> ToolCatalog { catalog }

    func call(_ call: ToolCall<Caller>) async throws -> ToolOutcome {
        guard let run = runs[call.name] else { throw MCPError.invalidParams("There is no such tool") }
        return try await run(call)
    }

    func resources(for caller: Caller) async throws -> ResourceCatalog { resourceFixtures.catalog }
    func read(_ read: ResourceRead<Caller>) async throws -> ResourceOutcome {
        try resourceFixtures.read(read.uri)
    }
    func prompts(for caller: Caller) async throws -> PromptCatalog { PromptFixtures.catalog }
    func prompt(_ call: PromptCall<Caller>) async throws -> PromptOutcome { try PromptFixtures.run(call) }

    func complete(_ request: CompletionRequest<Caller>) async throws -> Completion {
        guard case .prompt(let name) = request.reference, PromptFixtures.catalog[name] != nil else {
            throw MCPError.invalidParams("There is no such prompt")
        }
        return Completion(["paris", "park", "party"].filter { $0.hasPrefix(request.value) })
    }

    func changes(for caller: Caller) -> AsyncStream<ChangeEvent> { broadcaster.listen() }

    /// The suite's settings: loopback only, states signed with a key of this process.
    static var configuration: MCPConfiguration {
        var configuration = MCPConfiguration()
        configuration.access = AccessPolicy(allowsLoopback: true, hosts: [])
        let key = (0..<4).map { _ in UInt64.random(in: .min ... .max) }
        configuration.seal = StateSeal(
            now: {
                // A clock that only moves with the process suffices here.
                Int(start.duration(to: .now).components.seconds)
            },
            sign: { bytes in
                // SipHash under a random key: enough for fixtures, not for a product.
                var hasher = Hasher()
                hasher.combine(key)
                hasher.combine(bytes)
                let hash = UInt64(bitPattern: Int64(hasher.finalize()))
                return (0..<8).map { UInt8(truncatingIfNeeded: hash >> (8 * UInt64($0))) }
            })
        return configuration
    }

    private static let start = ContinuousClock.now
}

/// Passes changes on to everyone who listens.
final class Broadcaster: Sendable {
    private let listeners = Mutex<[Int: AsyncStream<ChangeEvent>.Continuation]>([:])
    private let nextID = Atomic(0)

    func send(_ event: ChangeEvent) {
        for listener in listeners.withLock({ Array($0.values) }) { listener.yield(event) }
    }

    func listen() -> AsyncStream<ChangeEvent> {
        let (stream, continuation) = AsyncStream<ChangeEvent>.makeStream(
            bufferingPolicy: .bufferingNewest(64))
        let id = nextID.wrappingAdd(1, ordering: .relaxed).newValue
        listeners.withLock { $0[id] = continuation }
        continuation.onTermination = { [weak self] _ in self?.listeners.withLock { $0[id] = nil } }
        return stream
    }
}
