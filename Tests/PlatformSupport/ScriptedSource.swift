package import JSON
package import Kernel
package import Storage
import Synchronization

/// A webhook source whose handler does what its payload says, for tests of the
/// ledger itself. `{"id", "type", "do": "write" | "throw" | "unmatched" | …}`;
/// what it does to the database is a row in `test_effects`.
package enum ScriptedSource: WebhookSource {
    package static let name = "scripted"
    package static let path = "/test/scripted"

    package static let feature = Feature(
        name: "scripted", summary: "A webhook source that does what it is told.",
        webhooks: [ScriptedSource.self],
        migrations: [
            Migration("9001_scripted") { _ in
                [
                    "CREATE TABLE test_effects (id \(.autoID), event TEXT NOT NULL)",
                    "CREATE TABLE test_script (id INTEGER PRIMARY KEY, remaining INTEGER NOT NULL)",
                ]
            }
        ])

    package static func event(_ id: String, _ action: String, type: String = "test.event") -> JSONValue {
        ["id": .string(id), "type": .string(type), "do": .string(action)]
    }

    package static func verify(_ request: WebhookRequest, _ context: Context) throws -> Delivery {
        let payload = try JSONValue(parsing: request.body)
        return Delivery(
            eventID: payload["id"]?.stringValue, eventType: payload["type"]?.stringValue ?? "test.event",
            payload: payload)
    }

    package static func handle(
        _ event: WebhookEvent, _ tx: Transaction, _ context: Context
    ) throws -> HandledWebhook {
        let action = try event.body["do"]?.stringValue ?? "write"
        try tx.run("INSERT INTO test_effects (event) VALUES (\(event.eventID ?? "replay"))")
        try tx.audit("test.effect", Subject("test", event.eventID), changes: ["n": ["old": 0, "new": 1]])
        switch action {
        case "throw": throw Trouble()
        case "refuse": throw Failure(.invalidInput, "The payload is useless.")
        case "unmatched": return .unmatched("nobody here")
        // Fails as long as the script says so.
        case "recover":
            let left: Int = try tx.value("SELECT remaining FROM test_script WHERE id = 1") ?? 0
            if left > 0 { throw Trouble() }
        // Needs a row that a test may hold.
        case "lock": try tx.run("UPDATE test_script SET remaining = remaining WHERE id = 1")
        // Another worker has taken the job over.
        case "steal":
            try tx.run("UPDATE jobs SET worker = 'thief' WHERE unique_key = \("webhook:\(event.id)")")
        // Writes whether its transaction waits for the disk.
        case "tell": try tx.run("UPDATE test_effects SET event = \(try TestJobs.durability(tx))")
        // A statement the database itself refuses.
        case "violate": try tx.run("INSERT INTO test_effects (event) VALUES (NULL)")
        default: break
        }
        return .processed(related: Subject("test", "1"))
    }

    /// Carries something that must not be stored.
    package struct Trouble: Error, CustomStringConvertible {
        package var description: String {
            "it broke with password=hunter2secret and sk_live_0123456789abcdefghijkl"
        }
    }
}
