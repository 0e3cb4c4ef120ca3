/// The value of `WWW-Authenticate` (RFC 6750 §3, RFC 9728 §5.1).
package struct BearerChallenge: Sendable, Hashable {
    /// `invalid_token` only if one was sent; nothing when none was.
    package var error: String?
    package var description: String?
    /// The scopes this operation needs, not the whole catalogue.
    package var scopes: [String]
    /// URL of the protected resource metadata.
    package var resourceMetadata: String?

    package init(
        error: String? = nil, description: String? = nil, scopes: [String] = [],
        resourceMetadata: String? = nil
    ) {
        self.error = error
        self.description = description
        self.scopes = scopes
        self.resourceMetadata = resourceMetadata
    }

    package var headerValue: String {
        var parameters: [String] = []
        func add(_ name: String, _ value: String?) {
            guard let value else { return }
            parameters.append("\(name)=\"\(Self.quotable(value))\"")
        }
        add("error", error)
        add("error_description", description)
        add("scope", scopes.isEmpty ? nil : scopes.joined(separator: " "))
        add("resource_metadata", resourceMetadata)
        return parameters.isEmpty ? "Bearer" : "Bearer " + parameters.joined(separator: ", ")
    }

    /// A quoted string holds printable ASCII; the rest would break the header.
    private static func quotable(_ text: String) -> String {
        String(
            text.unicodeScalars.map { scalar -> Character in
                guard (0x20...0x7E).contains(scalar.value) else { return "?" }
                return scalar == "\"" || scalar == "\\" ? "'" : Character(scalar)
            })
    }
}
