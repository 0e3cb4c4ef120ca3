package import Logging
package import Storage

/// Time, ids and the outside world, injected so that tests decide them.
///
/// A class, because every context carries it and contexts are copied a lot.
package final class Environment: Sendable {
    package let now: @Sendable () -> Instant
    package let ids: ULIDGenerator
    package let clients: Clients
    package let configuration: Configuration
    package let logger: Logger
    /// Webhook sources by name, from the features' manifests.
    package let webhookSources: [String: any WebhookSource.Type]
    package let features: [Feature]
    /// Keys for secrets at rest and for signed tokens.
    package let secrets: SecretKeys
    let jobs: JobRegistry

    package init(
        now: @escaping @Sendable () -> Instant = { Instant.now() }, ids: ULIDGenerator = ULIDGenerator(),
        clients: Clients = .unimplemented, configuration: Configuration,
        logger: Logger = Logger(label: "instainstru"), features: [Feature] = [],
        secrets: SecretKeys = .random()
    ) {
        let webhooks = features.flatMap(\.webhooks)
        self.features = features
        self.secrets = secrets
        jobs = JobRegistry(features)
        webhookSources = Dictionary(webhooks.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        self.now = now
        self.ids = ids
        self.clients = clients
        self.configuration = configuration
        self.logger = logger
    }

    /// Whether a handler runs the jobs of that name in this program.
    package func isRegistered(_ job: String) -> Bool { jobs[job] != nil }
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
    /// The version that the caller believes to be the latest (`If-Match`, RFC 9110 §13.1.1).
    package var ifMatch: String?
    /// The version that the caller has already (`If-None-Match`).
    package var ifNoneMatch: String?
    /// The caller's own key for this call, where it does not come as an argument.
    package var idempotencyKey: String?
    /// Cookies and such that an operation of the sign-in reads, by its own names.
    package var credentials = PresentedCredentials()
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
        if surface == .job { logger[metadataKey: "job"] = .string(actor.name) }
        return logger
    }

    /// The id of the person who is signed in.
    ///
    /// - Throws: ``Failure/Code/unauthenticated`` when nobody is.
    package func userID() throws -> ULID {
        guard actor.isPerson, let id = actor.id.flatMap({ ULID($0) }) else { throw Audience.notSignedIn }
        return id
    }

    /// A new id, stamped with this call's time.
    package func newID() -> ULID { environment.ids.next(at: now) }
}

/// Secrets that came with a call beside its arguments, for the operations that are about them.
package struct PresentedCredentials: Sendable {
    /// Of the refresh cookie.
    package var refreshToken: String?
    /// Of the trusted device's cookie.
    package var deviceToken: String?
    /// Whether the call shows that a page of ours made it, in that session: a cookie alone
    /// does not.
    package var isOwnPage: @Sendable (_ session: String) -> Bool = { _ in false }

    package init(refreshToken: String? = nil, deviceToken: String? = nil) {
        self.refreshToken = refreshToken
        self.deviceToken = deviceToken
    }
}
