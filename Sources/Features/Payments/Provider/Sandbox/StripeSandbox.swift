import JSON
package import Kernel
package import Storage
import Synchronization

/// A Stripe of our own, for where the real one is not configured.
///
/// It answers Stripe's calls from its own tables, refuses what Stripe refuses, and tells what
/// happened by signed webhooks to our own endpoint. What a bank says follows from the card
/// (``SandboxCard``). Every call is one transaction.
package struct StripeSandbox: Sendable {
    /// Keys of calls that are being carried out in this process.
    private static let inUse = Mutex<Set<String>>([])
    private static let longestKey = 255
    /// How much of what is due happens in one transaction.
    private static let batch = 50

    let database: any Database
    let context: Context

    package init(database: any Database, context: Context) {
        self.database = database
        self.context = context
    }

    /// Where the built-in Stripe is reached over HTTP.
    static func address(_ context: Context) -> String {
        DeliverSandboxEvent.address(context.configuration) + "/stripe-sandbox"
    }

    package func answer(_ call: StripeCall) async throws -> StripeAnswer {
        do {
            guard let route = SandboxRoute.of(call) else { throw SandboxRefusal.unknownRoute(call) }
            try route.check(call.form)
            switch route.work {
            case .read(let body): return try await read(call, body)
            case .write(let body):
                guard let key = call.key else { return try await write(call, body) }
                return try await exclusively(key, call) { try await write(call, body) }
            }
        } catch let refusal as SandboxRefusal { return refusal.answer }
    }

    /// Looks, after what is due by now has happened.
    private func read(_ call: StripeCall, _ body: @escaping @Sendable (SandboxList) throws -> JSONObject)
        async throws -> StripeAnswer
    {
        let now = context.environment.now()
        let look: @Sendable (Snapshot, Bool) throws -> StripeAnswer? = { db, isWhatever in
            if !isWhatever, try Self.isDue(now, db) { return nil }
            return StripeAnswer(200, .object(try body(SandboxList(db: db, call: call))))
        }
        if let answer = try await database.read({ try look($0, false) }) { return answer }
        try await passTime()
        return try await database.read { try look($0, true) ?? StripeAnswer(500, .null) }
    }

    private static func isDue(_ now: Instant, _ db: Snapshot) throws -> Bool {
        try db.value(
            "SELECT 1 FROM stripe_sandbox_objects WHERE due_at IS NOT NULL AND due_at <= \(now) LIMIT 1",
            as: Int.self) != nil
    }

    /// Two calls with one key at the same time are a mistake of the caller's.
    private func exclusively(
        _ key: String, _ call: StripeCall, _ body: () async throws -> StripeAnswer
    ) async throws -> StripeAnswer {
        guard key.utf8.count <= Self.longestKey else {
            throw SandboxRefusal.idempotency(
                400, nil, "Idempotency keys have up to \(Self.longestKey) characters.")
        }
        let name = "\(ObjectIdentifier(database))/\(call.account ?? "")/\(key)"
        guard Self.inUse.withLock({ $0.insert(name).inserted }) else {
            throw SandboxRefusal.idempotency(
                409, "idempotency_key_in_use",
                "There is currently another in-progress request using this Idempotency Key.")
        }
        defer { Self.inUse.withLock { _ = $0.remove(name) } }
        return try await body()
    }

    private func write(_ call: StripeCall, _ body: @escaping @Sendable (SandboxTurn) throws -> JSONObject)
        async throws -> StripeAnswer
    {
        let context = context
        return try await database.transaction(context, category: .automated) { tx, _ in
            let turn = SandboxTurn(tx, context, call)
            // Another process with the key holds this row; then its answer is there.
            if try !turn.open(call) { return try turn.replay(call) }
            let answer: StripeAnswer
            do {
                let object = try body(turn)
                try turn.finish()
                answer = StripeAnswer(
                    200, .object(try SandboxList.expanded(object, call.form, "", tx)))
            } catch let refusal as SandboxRefusal where refusal.isKept {
                try turn.finish()
                answer = refusal.answer
            }
            try turn.close(call, answer)
            return answer
        }
    }

    /// Lets everything happen that is due by now.
    package func passTime() async throws {
        let context = context
        while try await database.transaction(
            context, category: .automated,
            { tx, _ in
                let turn = SandboxTurn(tx, context)
                let due: [SandboxObject] = try tx.all(
                    """
                    SELECT \(SandboxObject.columns) FROM stripe_sandbox_objects
                    WHERE due_at IS NOT NULL AND due_at <= \(turn.now) ORDER BY due_at LIMIT \(Self.batch) \
                    \(.skipLocked)
                    """)
                for object in due { _ = try turn.happen(object) }
                try turn.finish()
                return !due.isEmpty
            })
        {}
    }
}

// Idempotency (docs.stripe.com/api/idempotent_requests).
extension SandboxTurn {
    private func fingerprint(_ call: StripeCall) -> String {
        Secrets.hash(call.path + "?" + call.form.encoded)
    }

    /// Takes the key; false when it was used before.
    func open(_ call: StripeCall) throws -> Bool {
        guard let key = call.key else { return true }
        return try tx.run(
            """
            INSERT INTO stripe_sandbox_calls
            (account, idempotency_key, fingerprint, status, answer, created_at)
            VALUES (\(account), \(key), \(fingerprint(call)), 0, '', \(now)) ON CONFLICT DO NOTHING
            """
        ).affected > 0
    }

    func replay(_ call: StripeCall) throws -> StripeAnswer {
        let row = try tx.rows(
            """
            SELECT fingerprint, status, answer FROM stripe_sandbox_calls
            WHERE account = \(account) AND idempotency_key = \(call.key)
            """
        ).first
        guard let row, try row.get(at: 0, as: String.self) == fingerprint(call) else {
            throw SandboxRefusal.idempotency(
                400, nil,
                "An idempotency key can only be used again with the parameters that it was first used with."
            )
        }
        let body = try JSONValue(parsing: row.get(at: 2, as: String.self))
        return StripeAnswer(try row.get(at: 1), body, shouldRetry: false, isReplayed: true)
    }

    /// Keeps the first answer.
    func close(_ call: StripeCall, _ answer: StripeAnswer) throws {
        guard let key = call.key else { return }
        try tx.run(
            """
            UPDATE stripe_sandbox_calls SET status = \(answer.status), answer = \(answer.body.text)
            WHERE account = \(account) AND idempotency_key = \(key)
            """)
    }
}
