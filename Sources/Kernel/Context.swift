package import Logging
package import Storage

/// Time, ids and the outside world, injected so that tests decide them.
package struct Environment: Sendable {
    package var now: @Sendable () -> Instant
    package var ids: ULIDGenerator
    package var clients: Clients
    package var configuration: Configuration
    package var logger: Logger
    /// Webhook sources by name, from the features' manifests.
    package var webhookSources: [String: any WebhookSource.Type] = [:]

    package init(
        now: @escaping @Sendable () -> Instant = { Instant.now() }, ids: ULIDGenerator = ULIDGenerator(),
        clients: Clients = .unimplemented, configuration: Configuration,
        logger: Logger = Logger(label: "instainstru")
    ) {
        self.now = now
        self.ids = ids
        self.clients = clients
        self.configuration = configuration
        self.logger = logger
    }
}

/// Everything one call knows about itself: who, through what, when, and why.
///
/// A context is made by a surface (or by the worker for a job) and only grows
/// narrower from there. `now` is read once, so one call has one time.
package struct Context: Sendable {
    /// Whether the call keeps what it does.
    package enum Mode: Sendable, Hashable {
        /// The transaction commits.
        case commit
        /// The caller asked to see what would happen.
        case dryRun
        /// The call needs a confirmation; its effects are shown and rolled back.
        case awaitingConfirmation
    }

    package var actor: Actor
    package var surface: Surface
    package var client: ClientInfo?
    package var requestID: String
    package var traceID: String?
    package var ip: String?
    package var userAgent: String?
    package var now: Instant
    package var mode: Mode = .commit
    package var environment: Environment

    package init(
        actor: Actor, surface: Surface, client: ClientInfo? = nil, requestID: String? = nil,
        traceID: String? = nil, ip: String? = nil, userAgent: String? = nil, environment: Environment
    ) {
        self.actor = actor
        self.surface = surface
        self.client = client
        self.environment = environment
        self.now = environment.now()
        self.requestID = requestID ?? environment.ids.next(at: now).description
        self.traceID = traceID
        self.ip = ip
        self.userAgent = userAgent
    }

    package var configuration: Configuration { environment.configuration }
    package var clients: Clients { environment.clients }
    package var logger: Logger {
        var logger = environment.logger
        logger[metadataKey: "request_id"] = .string(requestID)
        if let traceID { logger[metadataKey: "trace_id"] = .string(traceID) }
        return logger
    }

    /// A new id, stamped with this call's time.
    package func newID() -> ULID { environment.ids.next(at: now) }
}
