package import JSON

/// What tells clients where to get a token (RFC 9728).
package struct ProtectedResourceMetadata: Sendable {
    /// The endpoint's URL exactly as users type it; clients compare bytes.
    package var resource: String
    package var authorizationServers: [String]
    /// The smallest useful set; never `offline_access`.
    package var scopes: [String]
    package var name: String?
    package var documentation: String?

    package init(
        resource: String, authorizationServers: [String], scopes: [String] = [], name: String? = nil,
        documentation: String? = nil
    ) {
        self.resource = resource
        self.authorizationServers = authorizationServers
        self.scopes = scopes
        self.name = name
        self.documentation = documentation
    }

    package var json: JSONValue {
        var object: JSONObject = [
            "resource": .string(resource),
            "authorization_servers": .array(authorizationServers.map { .string($0) }),
            "bearer_methods_supported": ["header"],
        ]
        if !scopes.isEmpty { object["scopes_supported"] = .array(scopes.map { .string($0) }) }
        if let name { object["resource_name"] = .string(name) }
        if let documentation { object["resource_documentation"] = .string(documentation) }
        return .object(object)
    }

    /// Both paths clients look at: with the endpoint's path inserted, and the root form.
    package static func wellKnownPaths(endpoint: String) -> [String] {
        let root = "/.well-known/oauth-protected-resource"
        return endpoint.isEmpty || endpoint == "/" ? [root] : [root + endpoint, root]
    }
}
