import JSON
import Kernel
import Storage

/// One row of `stripe_sandbox_objects`: an object as Stripe shows it, and what it is looked up by.
struct SandboxObject: Sendable, RowDecodable {
    var id: String
    /// Stripe's own word, `object`.
    var kind: String
    /// The connected account that it lives in; empty for the platform's.
    var account = ""
    var parent: String?
    var owner: String?
    /// What can go back of it: captured of a charge, transferred of a transfer.
    var amount = 0
    var returned = 0
    /// The test card that it is of, by ``SandboxCard/name``.
    var card: String?
    /// When a capture was first tried.
    var triedAt: Instant?
    /// When something happens to it by itself.
    var dueAt: Instant?
    var createdAt: Instant
    var body: JSONObject

    init(_ kind: String, id: String, at now: Instant, _ body: JSONObject) {
        self.kind = kind
        self.id = id
        createdAt = now
        let head: JSONObject = [
            "id": .string(id), "object": .string(kind), "created": .int(now.wholeSeconds), "livemode": false,
        ]
        self.body = head.merging(body)
    }

    static let columns: SQL =
        "id, kind, account, parent, owner, amount, returned, card, tried_at, due_at, created_at, body"

    init(row: Row) throws {
        id = try row.get(at: 0)
        kind = try row.get(at: 1)
        account = try row.get(at: 2)
        parent = try row.get(at: 3)
        owner = try row.get(at: 4)
        amount = try row.get(at: 5)
        returned = try row.get(at: 6)
        card = try row.get(at: 7)
        triedAt = try row.get(at: 8)
        dueAt = try row.get(at: 9)
        createdAt = try row.get(at: 10)
        body = try JSONValue(parsing: row.get(at: 11, as: String.self)).objectValue ?? [:]
    }

    var values: SQL {
        """
        (\(id), \(kind), \(account), \(parent), \(owner), \(amount), \(returned), \(card), \(triedAt), \
        \(dueAt), \(createdAt), \(body.description))
        """
    }

    var status: String { body["status"]?.stringValue ?? "" }

    func text(_ key: String) -> String? { body[key]?.stringValue }

    static func find(_ kind: String, _ id: String, _ db: Snapshot) throws -> SandboxObject? {
        try db.one("SELECT \(columns) FROM stripe_sandbox_objects WHERE id = \(id) AND kind = \(kind)")
    }
}

extension Instant {
    /// Whole seconds since 1970, which is all that Stripe tells.
    var wholeSeconds: Int { Int(microseconds / 1_000_000) }
}

extension JSONValue {
    /// A text, or null for none.
    static func text(_ text: String?) -> JSONValue { text.map { .string($0) } ?? .null }
}
