import JSON
import Synchronization

/// Tells the client how far a call has come; silent unless it asked.
///
/// Values must grow; others are dropped, and so are all but a few per second
/// (2026-07-28, progress), except the one that reaches the total.
package final class ProgressReporter: Sendable {
    /// Reports that pass before the rate is limited.
    private static let burst = 10
    private static let interval = Duration.milliseconds(100)

    private struct State {
        var last = -Double.infinity
        var sent = 0
        var sentAt: ContinuousClock.Instant?
        var isClosed = false

        /// Whether a report may be sent, which then counts as sent.
        mutating func isDue(_ progress: Double, _ total: Double?) -> Bool {
            let now = ContinuousClock.now
            guard !isClosed, progress > last else { return false }
            let isPaced = sentAt.map { now - $0 >= interval } ?? true
            guard sent < burst || isPaced || progress == total else { return false }
            last = progress
            sent += 1
            sentAt = now
            return true
        }
    }

    private let token: JSONValue
    private let includesMessage: Bool
    private let send: Outbox.Send?
    private let state = Mutex(State())

    init(token: JSONValue, revision: Revision, send: Outbox.Send?) {
        self.token = token
        includesMessage = revision > .november2024
        self.send = send
    }

    /// Whether a report reaches the client; without, computing one is a waste.
    package var isWanted: Bool { send != nil }

    /// Reports a step: `progress` of `total`, and what is being done.
    package func report(_ progress: Double, of total: Double? = nil, message: String? = nil) {
        guard let send, progress.isFinite else { return }
        var params: JSONObject = ["progressToken": token, "progress": .number(progress)]
        if let total { params["total"] = .number(total) }
        if includesMessage, let message { params["message"] = .string(message) }
        // Sent under the lock, so that reports arrive in the order they were judged
        // in and none passes the close.
        state.withLock { state in
            guard state.isDue(progress, total) else { return }
            send(Envelope.notification("notifications/progress", params), .droppable)
        }
    }

    /// Nothing may follow the response.
    func close() { state.withLock { $0.isClosed = true } }
}

extension JSONValue {
    /// Whole numbers without a fraction.
    static func number(_ value: Double) -> JSONValue {
        Int(exactly: value).map { .int($0) } ?? .double(value)
    }
}
