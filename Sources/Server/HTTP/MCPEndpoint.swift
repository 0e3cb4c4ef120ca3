import HTTPTypes
import Hummingbird
import Kernel
import MCP
import Storage

/// `/mcp`: authentication first, on every method, then the protocol.
struct MCPEndpoint: Sendable {
    let platform: Platform
    let server: MCPServer<MCPSurface>

    init(_ platform: Platform) {
        self.platform = platform
        server = MCPServer(host: MCPSurface(platform), configuration: Self.configuration(platform))
    }

    static func configuration(_ platform: Platform) -> MCPConfiguration {
        var configuration = MCPConfiguration()
        let settings = platform.configuration
        configuration.access = AccessPolicy(
            origins: Set(settings.allowedOrigins),
            hosts: Set(
                settings.allowedHosts.map { $0.lowercased() } + [settings.host.lowercased()]
                    + publicHost(settings)))
        let (keys, now) = (platform.keys, platform.environment.now)
        configuration.seal = StateSeal(now: { Int(now().microseconds / 1_000_000) }, sign: { keys.sign($0) })
        return configuration
    }

    private static func publicHost(_ settings: Kernel.Configuration) -> [String] {
        guard let url = settings.publicURL, let range = url.firstRange(of: "://") else { return [] }
        return [url[range.upperBound...].prefix { $0 != "/" && $0 != ":" }.lowercased()]
    }

    func addRoutes(to router: Routes) {
        let handler: Routes.Handler = { try await respond($0, $1) }
        router.on("/mcp", [.get: handler, .post: handler, .delete: handler])
    }

    private func respond(_ request: Request, _ app: AppContext) async throws -> Response {
        let actor = try await platform.authenticate(request, app, surface: .mcp, operation: nil)
        let caller = MCPCaller(
            actor: actor, requestID: app.requestID, ip: platform.clientIP(request, app),
            userAgent: request.headers[.userAgent].map { UntrustedText.cleaned($0, maximumCharacters: 500) })
        return try await MCPHTTPAdapter.respond(server, to: request, caller: caller)
    }
}
