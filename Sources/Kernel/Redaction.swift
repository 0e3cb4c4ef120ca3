package import JSON

/// Takes secrets and personal data out of a JSON value before it is stored.
///
/// Works by key, at any depth, and on the text of every string. A member
/// whose key is sensitive loses its whole value, whatever its type; `null`
/// stays, because it tells that there was nothing. A change,
/// `{"old": …, "new": …}`, keeps its two sides so that a reader sees which
/// of them existed. Every other string is searched for what looks like a
/// credential (see ``SecretText``).
///
/// Keys are compared in lower snake case: `clientSecret`, `Client-Secret`
/// and `client_secret` are one key. Takes time in proportion to the size.
///
/// Source: domain specification §6.4 for changes, §5.4 for headers.
package struct Redaction: Sendable {
    /// What stands in a body for a value that was taken out.
    package static let marker = "[REDACTED]"
    /// What stands in a header for a value that was taken out.
    package static let headerMarker = "***"

    private let keys: SensitiveKeys

    private init(keys: SensitiveKeys) { self.keys = keys }

    /// For the changes of an audit entry, and for arguments and metadata.
    package static let auditChanges = Redaction(keys: .auditChanges)
    /// For the payloads of webhooks: keeps what a handler needs to run again
    /// (ids, types, amounts, states, times) and no personal data.
    package static let webhookPayload = Redaction(keys: .webhookPayload)

    /// The value without what must not be stored.
    package func redacted(_ value: JSONValue) -> JSONValue {
        redacted(value, isMetadata: false)
    }

    /// The text without anything that looks like a credential.
    package func redacted(text: String) -> String {
        SecretText.redacted(text)
    }

    /// The headers of a request, with the values of those that are not known
    /// to be harmless replaced by ``headerMarker``.
    ///
    /// An allow-list: a header nobody thought of is hidden. Names keep their
    /// spelling and order.
    package static func headers(_ headers: some Sequence<(name: String, value: String)>) -> JSONObject {
        var result = JSONObject()
        for (name, value) in headers {
            let isKept = SensitiveKeys.harmlessHeaders.contains(name.lowercased())
            result[SecretText.redacted(name)] = .string(isKept ? SecretText.redacted(value) : headerMarker)
        }
        return result
    }

    private func redacted(_ value: JSONValue, isMetadata: Bool) -> JSONValue {
        switch value {
        case .null, .bool, .int, .double: value
        case .string(let text): .string(SecretText.redacted(text))
        case .array(let elements): .array(elements.map { redacted($0, isMetadata: isMetadata) })
        case .object(let members): .object(redacted(members, isMetadata: isMetadata))
        }
    }

    private func redacted(_ members: JSONObject, isMetadata: Bool) -> JSONObject {
        var result = JSONObject()
        for (name, value) in members {
            let key = SensitiveKeys.normalized(name)
            result[SecretText.redacted(name)] =
                switch keys.judge(key, isMetadata: isMetadata) {
                case .keep: redacted(value, isMetadata: isMetadata || keys.isMetadata(key))
                case .remove: removed(value)
                case .removeAddress: address(value)
                }
        }
        return result
    }

    /// What is left of a sensitive value.
    private func removed(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null: .null
        case .object(let sides) where Self.isChange(sides):
            .object(JSONObject(sides.map { ($0.key, $0.value == .null ? .null : .string(Self.marker)) }))
        default: .string(Self.marker)
        }
    }

    /// An address keeps its country, which is no personal data and which
    /// handlers and reports need.
    private func address(_ value: JSONValue) -> JSONValue {
        guard case .object(let parts) = value, !Self.isChange(parts) else { return removed(value) }
        var result = JSONObject()
        for (name, part) in parts {
            let isCountry = SensitiveKeys.normalized(name) == "country"
            if isCountry, let code = part.stringValue, code.utf8.count == 2 {
                result[name] = part
            } else {
                result[SecretText.redacted(name)] = removed(part)
            }
        }
        return .object(result)
    }

    private static func isChange(_ members: JSONObject) -> Bool {
        !members.isEmpty && members.allSatisfy { $0.key == "old" || $0.key == "new" }
    }
}
