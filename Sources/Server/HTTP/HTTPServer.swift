import Hummingbird
import Kernel
import Logging
package import NIOCore
package import ServiceLifecycle
import Storage

/// The HTTP side of a process: which surfaces it answers, on which address.
package struct HTTPServer: Sendable {
    /// Called once with the address that is listened on.
    package typealias Ready = @Sendable (SocketAddress?) async -> Void

    package static func application(_ platform: Platform, onReady: @escaping Ready = { _ in }) -> any Service
    {
        let routes = Routes()
        StatusSurface(platform).addRoutes(to: routes)
        WebhookSurface(platform: platform).addRoutes(to: routes)
        RESTSurface(platform: platform).addRoutes(to: routes)
        MCPEndpoint(platform).addRoutes(to: routes)
        SandboxStripe(platform: platform).addRoutes(to: routes)
        // Hummingbird's own line per request is ours already.
        var logger = platform.logger
        logger.logLevel = max(logger.logLevel, .notice)
        return Application(
            responder: Edge(inner: routes.router.buildResponder(), platform: platform, paths: routes.paths),
            configuration: .init(
                address: .hostname(platform.configuration.host, port: platform.configuration.port),
                serverName: Build.service),
            onServerRunning: { channel in await onReady(channel.localAddress) }, logger: logger)
    }
}
