import JSON
import Kernel
import Storage

/// What the built-in Checkr tells after an invitation, and when.
struct CheckrCourse: Sendable {
    /// Between two events.
    static let step = Duration.seconds(1)

    var candidate: String
    var invitation: String
    var package: String
    var lastName: String

    private var report: String { "rep" + invitation.dropFirst(3) }

    /// Stores the report as it will be, and every event with the job that sends it.
    func plan(from start: Instant, _ tx: Transaction, _ context: Context) throws {
        let (status, result, assessment) = ending
        let end = start + Self.step * (events.count - 1)
        try tx.run(
            """
            INSERT INTO checkr_sandbox_reports (id, invitation_id, candidate_id, package, status, result, assessment, \
            created_at, completed_at)
            VALUES (\(report), \(invitation), \(candidate), \(package), \(status), \(result), \(assessment), \
            \(start), \(status == "complete" ? end : nil))
            """)
        for (index, (type, object)) in events.enumerated() {
            let (id, time) = ("evt_\(context.newID())", start + Self.step * index)
            let body = object.merging(["completed_at": .string(time.description)])
            let payload: JSONObject = [
                "id": .string(id), "object": "event", "type": .string(type),
                "created_at": .string(time.description), "data": ["object": .object(body)],
            ]
            try tx.run(
                """
                INSERT INTO checkr_sandbox_events (id, event_type, payload, deliver_at, created_at)
                VALUES (\(id), \(type), \(payload.description), \(time), \(start))
                """)
            try tx.enqueue(DeliverSandboxEvent(event: id), at: time)
        }
    }

    private var ending: (status: String, result: String?, assessment: String?) {
        switch lastName.lowercased() {
        case "consider": ("complete", "consider", nil)
        case "review": ("complete", "clear", "review")
        case "suspended": ("suspended", nil, nil)
        case "canceled": ("canceled", nil, nil)
        case "disputed": ("dispute", nil, nil)
        default: ("complete", "clear", nil)
        }
    }

    private var events: [(String, JSONObject)] {
        let invited: JSONObject = [
            "id": .string(invitation), "object": "invitation", "candidate_id": .string(candidate),
            "package": .string(package),
        ]
        let (status, result, assessment) = ending
        let reported: JSONObject = [
            "id": .string(report), "object": "report", "candidate_id": .string(candidate),
            "package": .string(package), "status": .string(status),
            "result": result.map { .string($0) } ?? .null,
            "assessment": assessment.map { .string($0) } ?? .null,
        ]
        let last =
            switch status {
            case "complete": "report.completed"
            case "suspended": "report.suspended"
            case "canceled": "report.canceled"
            default: "report.disputed"
            }
        return [
            ("invitation.created", invited), ("invitation.completed", invited), ("report.created", reported),
            (last, reported),
        ]
    }
}
