import JSON

extension MCPServer {
    /// The session a legacy message names; nil when it names none, or when this
    /// server gives none out. One that does not open is answered with 404, upon
    /// which clients initialize again (2025-11-25, Session Management).
    func session(
        _ headers: HTTPHeaders, _ identity: String, id: RequestID? = nil
    ) throws(Refusal) -> LegacySession? {
        let texts = headers.values(SessionID.header)
        guard let seal = configuration.seal, let text = texts.first else { return nil }
        guard texts.count == 1, let snapshot = SessionID.open(text, for: identity, seal) else {
            throw Refusal(
                status: 404, error: .invalidRequest("This session id is not valid here; initialize again"),
                id: id)
        }
        return LegacySession(snapshot)
    }

    /// A message that has no response may name a session too.
    func checkSession(_ headers: HTTPHeaders, _ params: JSONObject, _ caller: Caller) throws(Refusal) {
        guard isLegacy(headers, params) else { return }
        _ = try session(headers, host.identity(of: caller))
    }

    /// What the answer to a successful `initialize` carries besides its body.
    func sessionHeaders(_ exchange: Exchange<Caller>) -> [(name: String, value: String)] {
        guard exchange.request.method == "initialize", let seal = configuration.seal,
            let session = exchange.session?.snapshot, session.isOpen
        else { return [] }
        return [(SessionID.header, SessionID.make(session, for: exchange.identity, seal))]
    }
}
