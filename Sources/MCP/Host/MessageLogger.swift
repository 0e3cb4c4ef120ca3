package import JSON

/// Sends log messages to the client on the stream of its request.
///
/// Deprecated by 2026-07-28. There only requests that carry a log level get
/// any; earlier clients get them when the host declares logging. No secrets.
package struct MessageLogger: Sendable {
    /// Severity, lowest first (RFC 5424).
    package enum Level: String, Sendable, CaseIterable, Comparable {
        case debug, info, notice, warning, error, critical, alert, emergency

        package static func < (left: Level, right: Level) -> Bool { left.rank < right.rank }
        private var rank: Int { Self.allCases.firstIndex(of: self) ?? 0 }
    }

    let threshold: Level?
    let send: Outbox.Send?

    /// Whether a message of this level reaches the client.
    package func isWanted(_ level: Level) -> Bool {
        guard send != nil, let threshold else { return false }
        return level >= threshold
    }

    package func log(_ level: Level, _ data: JSONValue, logger: String? = nil) {
        guard let send, isWanted(level) else { return }
        var params: JSONObject = ["level": .string(level.rawValue), "data": data]
        if let logger { params["logger"] = .string(logger) }
        send(Envelope.notification("notifications/message", params), .droppable)
    }
}
