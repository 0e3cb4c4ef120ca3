/// Which web pages and host names a server answers (2026-07-28, Security Warning).
///
/// Browsers send `Origin`; a request without one comes from no web page and
/// passes. Checking `Host` as well stops DNS rebinding against local servers.
package struct AccessPolicy: Sendable {
    /// Exact origins, such as `https://app.example.com`.
    package var origins: Set<String>
    /// Whether pages served by this machine pass, at any port.
    package var allowsLoopback: Bool
    /// Names this server goes by, without port; nil answers to any.
    package var hosts: Set<String>?

    package init(origins: Set<String> = [], allowsLoopback: Bool = true, hosts: Set<String>? = nil) {
        self.origins = origins
        self.allowsLoopback = allowsLoopback
        self.hosts = hosts
    }

    private static let loopbackHosts: Set<String> = ["localhost", "127.0.0.1", "[::1]"]

    /// Why the request is refused, or nil.
    func refusal(_ headers: HTTPHeaders) -> String? {
        if let hosts {
            let host = headers["host"].map { Self.name(of: $0.lowercased()) } ?? ""
            let isLocal = allowsLoopback && Self.loopbackHosts.contains(host)
            guard isLocal || hosts.contains(host) else { return "This host name is not served here" }
        }
        for origin in headers.values("origin") where !allows(origin) {
            return "This origin may not use the server"
        }
        return nil
    }

    private func allows(_ origin: String) -> Bool {
        if origins.contains(origin) { return true }
        guard allowsLoopback, let scheme = origin.firstRange(of: "://") else { return false }
        let authority = origin[scheme.upperBound...].lowercased()
        return Self.loopbackHosts.contains(Self.name(of: authority))
    }

    /// The authority without its port; all of it if something else follows the name.
    private static func name(of authority: String) -> String {
        var name = authority.prefix { $0 != ":" }
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") { name = authority[...end] }
        let port = authority[name.endIndex...]
        let hasPort = port.first == ":" && port.dropFirst().allSatisfy { ("0"..."9").contains($0) }
        return port.isEmpty || hasPort ? String(name) : authority
    }
}
