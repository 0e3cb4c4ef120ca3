import JSON
import Kernel
import Storage

// What people and banks do beyond the API: for tests, the demo and the page behind a link.
extension StripeSandbox {
    /// Its row says that the platform has nothing left to transfer.
    static let emptyBalance = "balance_empty"

    /// An account of that id, onboarded at once, with no events: for what was made elsewhere.
    package func addAccount(_ id: String) async throws {
        try await act { turn in
            guard try SandboxObject.find("account", id, turn.tx) == nil else { return }
            var account = try turn.createAccount(id)
            account.body["capabilities"] = ["card_payments": "active", "transfers": "active"]
            account.body.merge(["charges_enabled": true, "details_submitted": true, "payouts_enabled": true])
            try turn.save(account)
        }
    }

    /// The instructor follows the account link to its end.
    package func completeOnboarding(_ account: String) async throws {
        try await act { turn in
            var object = try turn.lock("account", account)
            guard object.body["details_submitted"] != true else { return }
            try turn.onboard(&object)
        }
    }

    /// The student gives a card to a setup intent, as the browser does.
    package func giveCard(_ card: String, to setup: String) async throws -> String {
        let answer = try await answer(
            StripeCall(.post, "setup_intents/\(setup)/confirm", ["payment_method": card]))
        guard answer.status == 200, let id = answer.body["payment_method"]?.stringValue else {
            throw Self.failure(answer)
        }
        return id
    }

    /// The student confirms at the bank; or fails to.
    package func authenticate(_ intent: String, succeeds: Bool = true) async throws {
        try await act { turn in
            var object = try turn.lock("payment_intent", intent)
            guard object.status == "requires_action" else {
                throw SandboxRefusal.state(nil, "The payment \(intent) is \(object.status).")
            }
            if succeeds {
                _ = try turn.authorize(&object)
            } else {
                _ = try turn.decline(
                    object, "payment_intent_authentication_failure", "authentication_required")
            }
        }
    }

    /// The bank opens a dispute now, whatever the card.
    package func openDispute(ofPayment intent: String) async throws -> String {
        try await act { turn in
            let payment = try turn.lock("payment_intent", intent)
            var charge = try turn.lock("charge", payment.text("latest_charge") ?? "")
            try turn.dispute(&charge)
        }
        return try await dispute(ofPayment: intent)
    }

    /// The latest dispute of a payment.
    package func dispute(ofPayment intent: String) async throws -> String {
        let answer = try await answer(StripeCall(.get, "disputes", ["payment_intent": intent, "limit": "1"]))
        guard let id = answer.body["data"]?[0]?["id"]?.stringValue else { throw Self.failure(answer) }
        return id
    }

    package func closeDispute(_ id: String, isWon: Bool) async throws {
        try await act { turn in
            var object = try turn.lock("dispute", id)
            try turn.close(&object, isWon: isWon)
        }
    }

    /// Pays out all that an account has, as its schedule does; nil when there is nothing.
    package func payOut(_ account: String) async throws -> String? {
        try await act(account) { turn in
            let amount = try turn.balance(of: account)
            guard amount > 0 else { return nil }
            return try turn.payout(amount, isInstant: false, metadata: [:]).id
        }
    }

    /// The bank takes the payout, or gives it back, even after it was paid.
    package func settlePayout(_ id: String, of account: String, failure: String? = nil) async throws {
        try await act(account) { turn in
            var object = try turn.lock("payout", id)
            guard object.status == "pending" || (object.status == "paid" && failure != nil) else { return }
            try turn.settle(&object, failure: failure)
        }
    }

    /// The instructor shows a document; `error` is Stripe's code of what is wrong with it.
    package func verifyIdentity(_ session: String, error: String? = nil) async throws {
        try await act { turn in
            var object = try turn.lock("identity.verification_session", session)
            try turn.conclude(&object, error: error)
        }
    }

    /// Whether the platform has money to transfer of its own.
    package func setBalance(isEmpty: Bool) async throws {
        try await act { turn in
            try turn.tx.run("DELETE FROM stripe_sandbox_objects WHERE id = \(Self.emptyBalance)")
            if isEmpty { turn.add(SandboxObject("balance", id: Self.emptyBalance, at: turn.now, [:])) }
        }
    }

    @discardableResult
    private func act<T: Sendable>(
        _ account: String? = nil, _ body: @escaping @Sendable (SandboxTurn) throws -> T
    ) async throws -> T {
        let context = context
        do {
            return try await database.transaction(context, category: .automated) { tx, _ in
                let turn = SandboxTurn(tx, context, StripeCall(.post, "", account: account))
                let value = try body(turn)
                try turn.finish()
                return value
            }
        } catch let refusal as SandboxRefusal { throw Self.failure(refusal.answer) }
    }

    private static func failure(_ answer: StripeAnswer) -> Failure {
        Failure(
            .conflict,
            answer.body["error"]?["message"]?.stringValue ?? "The built-in Stripe has no such thing.")
    }
}
