import JSON
import Kernel
import Storage

/// One call that the built-in Stripe carries out, inside its transaction.
final class SandboxTurn {
    let tx: Transaction
    let context: Context
    let now: Instant
    let form: StripeForm
    /// The connected account on whose behalf; empty for the platform.
    let account: String
    /// Of the call, told in its events.
    let key: String?
    private var added: [SandboxObject] = []
    private var events: [SandboxEvent] = []

    init(_ tx: Transaction, _ context: Context, _ call: StripeCall? = nil) {
        self.tx = tx
        self.context = context
        now = context.environment.now()
        form = call?.form ?? [:]
        account = call?.account ?? ""
        key = call?.key
    }

    /// Random at Stripe; here in the order of making, so that lists need no more.
    func id(_ prefix: String) -> String { "\(prefix)_\(context.environment.ids.next(at: now))" }

    func secret(_ id: String) -> JSONValue { .string("\(id)_secret_\(Secrets.random(bytes: 18))") }

    // Parameters

    func need(_ name: String) throws -> String {
        guard let value = form[name], !value.isEmpty else {
            throw SandboxRefusal.invalid(
                "parameter_missing", "Missing required param: \(name).", param: name)
        }
        return value
    }

    func bool(_ name: String) throws -> Bool {
        switch form[name] {
        case "true"?: return true
        case nil, "false"?, ""?: return false
        case let text?:
            throw SandboxRefusal.invalid(
                "parameter_invalid_boolean", "Invalid boolean: \(text.prefix(40))", param: name)
        }
    }

    /// A positive number of cents; nil when it is not given.
    func cents(_ name: String) throws -> Int? {
        guard let text = form[name] else { return nil }
        guard let value = Int(text), text == String(value) else {
            throw SandboxRefusal.invalid(
                "parameter_invalid_integer", "Invalid integer: \(text.prefix(40))", param: name)
        }
        guard (1...99_999_999).contains(value) else {
            throw SandboxRefusal.invalid(
                value < 1 ? "parameter_invalid_integer" : "amount_too_large",
                value < 1 ? "Invalid positive integer" : "Amount must be no more than $999,999.99",
                param: name)
        }
        return value
    }

    func choice(_ name: String, of words: [String], otherwise: String) throws -> String {
        guard let word = form[name] else { return otherwise }
        guard words.contains(word) else {
            throw SandboxRefusal.invalid(
                nil, "Invalid \(name): must be one of \(words.joined(separator: ", "))", param: name)
        }
        return word
    }

    func currency() throws {
        guard try need("currency").lowercased() == "usd" else {
            throw SandboxRefusal.invalid(
                nil, "Invalid currency: the built-in Stripe knows usd alone", param: "currency")
        }
    }

    /// What is given over what there is; an empty text takes a member away.
    func metadata(over old: JSONObject? = nil) throws -> JSONValue {
        var metadata = old ?? [:]
        for (key, value) in form.members(of: "metadata") {
            guard key.utf8.count <= 40, value.utf8.count <= 500 else {
                throw SandboxRefusal.invalid(
                    nil, "Metadata has keys of up to 40 and values of up to 500 characters.",
                    param: "metadata[\(key.prefix(40))]")
            }
            metadata[key] = value.isEmpty ? nil : .string(value)
        }
        guard metadata.count <= 50 else {
            throw SandboxRefusal.invalid(nil, "Metadata has up to 50 keys.", param: "metadata")
        }
        return .object(metadata)
    }

    // Objects

    /// Takes hold of an object, after what has become due of it.
    func lock(_ kind: String, _ id: String, param: String = "id") throws -> SandboxObject {
        let found: SandboxObject? = try tx.one(
            """
            SELECT \(SandboxObject.columns) FROM stripe_sandbox_objects
            WHERE id = \(id) AND kind = \(kind) \(.forUpdate)
            """)
        guard let found, found.account == account else {
            throw SandboxRefusal.missing(kind, id, param: param)
        }
        guard let due = found.dueAt, due <= now else { return found }
        return try happen(found)
    }

    func find(_ kind: String, _ id: String, param: String = "id") throws -> SandboxObject {
        guard let found = try SandboxObject.find(kind, id, tx) else {
            throw SandboxRefusal.missing(kind, id, param: param)
        }
        return found
    }

    /// Stored before the end of the call.
    func add(_ object: SandboxObject) { added.append(object) }

    func save(_ object: SandboxObject) throws {
        if let index = added.firstIndex(where: { $0.id == object.id }) {
            added[index] = object
            return
        }
        try tx.run(
            """
            UPDATE stripe_sandbox_objects SET owner = \(object.owner), amount = \(object.amount), \
            returned = \(object.returned), card = \(object.card), tried_at = \(object.triedAt), \
            due_at = \(object.dueAt), body = \(object.body.description) WHERE id = \(object.id)
            """)
    }

    func tell(_ type: String, _ object: SandboxObject, account: String? = nil) {
        events.append(
            SandboxEvent(
                id: id("evt"), type: type, account: account ?? object.account, object: object.body,
                key: key, at: now))
    }

    /// Writes what was added, and the events with the job that sends them.
    func finish() throws {
        var statements = SQL.inserts(
            "INSERT INTO stripe_sandbox_objects (\(SandboxObject.columns)) VALUES", added.map(\.values))
        statements += SQL.inserts(
            """
            INSERT INTO stripe_sandbox_events (id, event_type, account, payload, created_at) VALUES
            """, events.map(\.values))
        try tx.runMany(statements)
        if !events.isEmpty { try tx.enqueue(DeliverStripeEvents(events: events.map(\.id))) }
        (added, events) = ([], [])
    }

    /// Has something happen by itself at that time, whoever asks by then.
    func plan(_ object: inout SandboxObject, at time: Instant) throws {
        object.dueAt = time
        try tx.enqueue(PassSandboxTime(until: time), at: time)
    }
}
