import JSON
package import Kernel
package import Storage

/// Asks Checkr for a report that an event only named, and takes over what the event means.
package struct FetchReport: Job {
    package static let name = "bgc.fetch_report"
    package static let retry = RetryPolicy(maximumAttempts: 8, base: .seconds(30), cap: .seconds(1_800))

    package var report: String
    /// The event's type.
    package var event: String
    /// The provider's time of the event.
    package var at: Instant

    package init(report: String, event: String, at: Instant) {
        self.report = report
        self.event = event
        self.at = at
    }

    package var uniqueKey: String? { "\(Self.name):\(report):\(event):\(at.microseconds)" }

    package func run(_ attempt: JobAttempt) async throws {
        guard let checkr = Checkr.of(attempt.context, attempt.database) else {
            return try await attempt.settle { _, _ in .discard(error: "Checkr is not configured") }
        }
        let (event, at) = (event, at)
        switch try await checkr.report(report) {
        case .refused(let problem):
            try await attempt.settle { _, _ in .discard(error: problem.rawValue) }
        case .busy(let wait): try await attempt.settle { _, _ in .snooze(wait) }
        case .unknown(let reason): try await attempt.settle { _, _ in .retry(error: reason) }
        case .done(let object):
            try await attempt.settle { tx, unit in
                let hasVerdict = (object["assessment"]?.stringValue ?? object["result"]?.stringValue) != nil
                guard event != "report.completed" || hasVerdict else {
                    return .retry(error: "the report has no verdict yet")
                }
                guard let candidate = object["candidate_id"]?.stringValue,
                    let profile = try InstructorProfile.lock(candidate: candidate, tx)
                else { return .retry(error: "no instructor has the report's candidate") }
                try CheckrWebhook.apply(event, object, profile, at, tx, unit.context)
                return .completed
            }
        }
    }
}
