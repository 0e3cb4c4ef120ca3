package import Hummingbird
import Kernel
import NIOCore

/// What Hummingbird keeps per request, with the peer's address.
package struct AppContext: RequestContext {
    package var coreContext: CoreRequestContextStorage
    let peer: String?
    /// Given by the caller or made by the edge; in every log line, entry and answer.
    var requestID = ""
    var receivedAt = ContinuousClock.now

    package init(source: ApplicationRequestContextSource) {
        coreContext = CoreRequestContextStorage(source: source)
        peer = source.channel.remoteAddress?.ipAddress
    }
}

extension AppContext {
    /// Whether the caller is on this machine. Behind a proxy on it every peer is loopback, so a
    /// forwarded request never counts as one.
    func isLocal(_ request: Request) -> Bool {
        (peer == "127.0.0.1" || peer == "::1") && request.headers[.xForwardedFor] == nil
    }
}

extension Platform {
    /// The kernel's context for an HTTP call.
    func context(
        _ request: Request, _ app: AppContext, _ actor: Actor, surface: Surface, client: ClientInfo? = nil
    )
        -> Context
    {
        Context(
            actor: actor, surface: surface, client: client, requestID: app.requestID,
            traceID: request.headers[.traceparent].flatMap(TraceParent.traceID), ip: clientIP(request, app),
            userAgent: request.headers[.userAgent].map { UntrustedText.cleaned($0, maximumCharacters: 500) },
            environment: environment)
    }

    /// The caller's address: the peer's, unless the peer is a proxy we trust;
    /// then the last address in X-Forwarded-For that is not one.
    func clientIP(_ request: Request, _ app: AppContext) -> String? {
        guard let peer = app.peer, configuration.trustedProxies.contains(peer) else { return app.peer }
        let hops = request.headers[values: .xForwardedFor].joined(separator: ",").split(separator: ",")
            .map { $0.filter { !$0.isWhitespace } }
        let hop = hops.last { !configuration.trustedProxies.contains($0) }
        // Only what is an address is believed; anything else names the proxy.
        return hop.flatMap { (try? SocketAddress(ipAddress: $0, port: 0)) == nil ? nil : $0 } ?? peer
    }
}

/// The W3C trace context header (www.w3.org/TR/trace-context, §3.2).
enum TraceParent {
    static func traceID(_ header: String) -> String? {
        let parts = header.split(separator: "-")
        guard parts.count >= 4, parts[1].count == 32, parts[1].allSatisfy(\.isHexDigit),
            parts[1].contains(where: { $0 != "0" })
        else { return nil }
        return parts[1].lowercased()
    }
}
