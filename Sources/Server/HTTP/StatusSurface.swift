import HTTPTypes
import Hummingbird
import JSON
import Kernel
import Storage

/// Health, readiness, metrics and the API description.
struct StatusSurface: Sendable {
    let platform: Platform
    private let openAPI: Lazy<[UInt8]>

    init(_ platform: Platform) {
        self.platform = platform
        openAPI = Lazy { OpenAPI.document(platform).encoded() }
    }

    func addRoutes(to router: Routes) {
        for path in ["/health", "/api/v1/health"] { router.on(path, [.get: { _, _ in health() }]) }
        router.on("/ready", [.get: { _, _ in await ready() }])
        router.on("/metrics", [.get: { try metrics($0, $1) }])
        router.on("/openapi.json", [.get: { _, _ in .json(openAPI.value) }])
    }

    /// The process lives; says nothing of what it depends on.
    private func health() -> Response {
        let uptime = platform.environment.now() - platform.startedAt
        let body: JSONObject = [
            "status": "ok", "service": .string(Build.service), "version": .string(Build.version),
            "git_sha": platform.configuration.gitSHA.map { .string($0) } ?? .null,
            "started_at": .string(platform.startedAt.description),
            "uptime_seconds": .int(Int(uptime.components.seconds)),
        ]
        return .json(JSONValue.object(body).encoded())
    }

    /// The process can do its work: the database answers and the audit log keeps up.
    private func ready() async -> Response {
        var problems: [String] = []
        do { _ = try await platform.database.read { try $0.value("SELECT 1", as: Int.self) } } catch {
            problems.append("database")
        }
        if platform.recorder.backlog > 10_000 { problems.append("audit_backlog") }
        let body: JSONObject = [
            "status": problems.isEmpty ? "ready" : "unavailable",
            "failing": .array(problems.map { .string($0) }),
        ]
        return .json(JSONValue.object(body).encoded(), status: problems.isEmpty ? .ok : .serviceUnavailable)
    }

    /// Open to loopback peers; from elsewhere it needs METRICS_TOKEN.
    private func metrics(_ request: Request, _ app: AppContext) throws -> Response {
        if !app.isLocal(request) {
            let sent = request.headers[.authorization] ?? ""
            guard let token = platform.configuration.metricsToken, Secrets.isEqual(sent, "Bearer \(token)")
            else {
                throw Failure(
                    .unauthenticated, "The metrics need METRICS_TOKEN as a bearer token.",
                    reason: "invalid_token")
            }
        }
        return .text(
            platform.metrics.exposition(platform), type: "text/plain; version=0.0.4; charset=utf-8")
    }
}
