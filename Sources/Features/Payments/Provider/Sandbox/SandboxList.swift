import JSON
import Kernel
import Storage

/// What is asked of the built-in Stripe without changing anything.
struct SandboxList {
    let db: Snapshot
    let call: StripeCall

    /// Members that hold an id and can be shown whole.
    static let expandable: Set<String> = [
        "charge", "customer", "latest_charge", "payment_intent", "payment_method", "transfer",
    ]

    private var account: String { call.account ?? "" }

    func one(_ kind: String, _ id: String) throws -> JSONObject {
        if kind == "payment_method", let card = SandboxCard.named(id) {
            return SandboxTurn.method(card, id: id, customer: nil, at: Instant(microseconds: 0)).body
        }
        guard let found = try SandboxObject.find(kind, id, db), found.account == account else {
            throw SandboxRefusal.missing(kind, id)
        }
        return try Self.expanded(found.body, call.form, "", db)
    }

    /// - Parameters:
    ///   - parent: the parameter that asks for one parent's; `fixed` is its value where the path has it.
    ///   - owner: the parameter that asks for one owner's.
    func page(_ kind: String, parent: String?, fixed: String? = nil, owner: String?) throws -> JSONObject {
        var rest: SQL = "kind = \(kind) AND account = \(account)"
        if let id = fixed ?? parent.flatMap({ call.form[$0] }) { rest += " AND parent = \(id)" }
        if let id = owner.flatMap({ call.form[$0] }) { rest += " AND owner = \(id)" }
        let rows: [SandboxObject] = try rows(
            "SELECT \(SandboxObject.columns) FROM stripe_sandbox_objects", "stripe_sandbox_objects", rest
        ).map(SandboxObject.init(row:))
        return try list(rows.map(\.body))
    }

    func events() throws -> JSONObject {
        var rest: SQL = "account = \(account)"
        let types = call.form.members(of: "types").map(\.value) + [call.form["type"]].compactMap { $0 }
        if !types.isEmpty { rest += " AND event_type \(in: types)" }
        let rows = try rows("SELECT payload FROM stripe_sandbox_events", "stripe_sandbox_events", rest)
        return try list(
            rows.compactMap { try JSONValue(parsing: $0.get(at: 0, as: String.self)).objectValue })
    }

    func event(_ id: String) throws -> JSONObject {
        let payload: String? = try db.value("SELECT payload FROM stripe_sandbox_events WHERE id = \(id)")
        guard let payload, let body = try JSONValue(parsing: payload).objectValue else {
            throw SandboxRefusal.missing("event", id)
        }
        return body
    }

    private var limit: Int {
        get throws {
            guard let text = call.form["limit"] else { return 10 }
            guard let limit = Int(text), (1...100).contains(limit) else {
                throw SandboxRefusal.invalid(
                    "parameter_invalid_integer", "limit must be 1 to 100", param: "limit")
            }
            return limit
        }
    }

    /// One more than the page has, newest first.
    private func rows(_ head: SQL, _ table: String, _ rest: SQL) throws -> [Row] {
        var condition = rest
        let second: Int64 = 1_000_000
        for (name, comparison, shift) in [
            ("gte", ">=", 0), ("gt", ">=", second), ("lt", "<", 0), ("lte", "<", second),
        ] as [(String, String, Int64)] {
            let param = "created[\(name)]"
            guard let text = call.form[param] else { continue }
            guard let value = Int64(text), (0...4_000_000_000).contains(value) else {
                throw SandboxRefusal.invalid("parameter_invalid_integer", "Invalid timestamp", param: param)
            }
            condition += " AND created_at \(raw: comparison) \(value * second + shift)"
        }
        if let after = call.form["starting_after"] {
            let time: Instant? = try db.value(
                "SELECT created_at FROM \(identifier: table) WHERE id = \(after)")
            guard let time else { throw SandboxRefusal.missing("object", after, param: "starting_after") }
            condition += " AND (created_at, id) < (\(time), \(after))"
        }
        let limit = try limit
        return Array(
            try db.rows(
                head + " WHERE " + condition + " ORDER BY created_at DESC, id DESC LIMIT \(limit + 1)"))
    }

    private func list(_ bodies: [JSONObject]) throws -> JSONObject {
        let limit = try limit
        let data = try bodies.prefix(limit).map {
            JSONValue.object(try Self.expanded($0, call.form, "data.", db))
        }
        return [
            "object": "list", "data": .array(data), "has_more": .bool(bodies.count > limit),
            "url": .string("/v1/" + call.path),
        ]
    }

    /// The object with what `expand` names shown whole.
    static func expanded(_ body: JSONObject, _ form: StripeForm, _ prefix: String, _ db: Snapshot) throws
        -> JSONObject
    {
        var body = body
        for (_, path) in form.members(of: "expand") {
            let name = path.hasPrefix(prefix) ? String(path.dropFirst(prefix.count)) : path
            guard path.hasPrefix(prefix), expandable.contains(name), body.contains(name) else {
                throw SandboxRefusal.invalid(
                    nil, "This property cannot be expanded (\(path.prefix(100))).", param: "expand")
            }
            guard let id = body[name]?.stringValue else { continue }
            let text: String? = try db.value("SELECT body FROM stripe_sandbox_objects WHERE id = \(id)")
            if let text { body[name] = try JSONValue(parsing: text) }
        }
        return body
    }
}
