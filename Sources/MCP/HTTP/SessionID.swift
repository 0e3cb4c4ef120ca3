import JSON

/// The text of `Mcp-Session-Id`, which is not a key to a session but all of it:
/// what a legacy client said about itself in `initialize`, sealed.
///
/// So no node remembers anything, every node with the key can read it, and a
/// restart loses nothing. It opens only for the caller it was given to, grants
/// nothing and does not expire. Visible ASCII (2025-11-25, Session Management),
/// less than 1 KB with a MAC of up to 64 bytes. It is readable: no secrets.
enum SessionID {
    /// The header that carries it, either way.
    static let header = "mcp-session-id"

    /// The names a client gives itself are cut, in characters and in encoded bytes.
    private static let nameLimit = (characters: 100, bytes: 300)
    private static let versionLimit = (characters: 50, bytes: 150)

    static func make(_ session: LegacySession.Snapshot, for caller: String, _ seal: StateSeal) -> String {
        var object: JSONObject = ["revision": .string(session.revision.rawValue)]
        if let client = session.client {
            object["name"] = .string(cut(client.name, nameLimit))
            object["version"] = .string(cut(client.version, versionLimit))
        }
        let abilities = Ability.allCases.filter { $0.isDeclared(session.capabilities) }
        object["can"] = .array(abilities.map { .string($0.rawValue) })
        return seal.mark(JSONValue.object(object).encoded(), for: caller)
    }

    /// Nil for anything ``make(_:for:_:)`` did not give to this caller.
    static func open(_ text: String, for caller: String, _ seal: StateSeal) -> LegacySession.Snapshot? {
        guard let bytes = seal.unmark(text, for: caller),
            let value = try? JSONValue(parsing: bytes),
            let revision = value["revision"]?.stringValue.flatMap(Revision.init), !revision.isModern
        else { return nil }
        var session = LegacySession.Snapshot()
        session.revision = revision
        session.client = ClientInfo(value)
        let abilities = value["can"]?.arrayValue?.compactMap { $0.stringValue.flatMap(Ability.init) } ?? []
        session.capabilities = Ability.capabilities(abilities)
        return session
    }

    private static func cut(_ text: String, _ limit: (characters: Int, bytes: Int)) -> String {
        var kept = ""
        var room = limit.bytes
        for character in text.prefix(limit.characters) {
            // Without the quotes.
            room -= JSONValue.string(String(character)).encoded().count - 2
            guard room >= 0 else { break }
            kept.append(character)
        }
        return kept
    }

    /// What a legacy client can be asked for.
    private enum Ability: String, CaseIterable {
        case form, url, sampling, roots

        func isDeclared(_ client: ClientCapabilities) -> Bool {
            switch self {
            case .form: client.fillsForms
            case .url: client.opensURLs
            case .sampling: client.samples
            case .roots: client.listsRoots
            }
        }

        static func capabilities(_ abilities: [Ability]) -> ClientCapabilities {
            var json: JSONObject = [:]
            var modes: JSONObject = [:]
            for ability in abilities {
                switch ability {
                case .form, .url: modes[ability.rawValue] = [:]
                case .sampling, .roots: json[ability.rawValue] = [:]
                }
            }
            if !modes.isEmpty { json["elicitation"] = .object(modes) }
            return ClientCapabilities(json)
        }
    }
}
