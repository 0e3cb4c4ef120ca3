import JSON
import Kernel
import Storage

// Transfers to instructors, what is taken back, and their payouts.
extension SandboxTurn {
    func createTransfer() throws -> JSONObject {
        guard let amount = try cents("amount") else {
            throw SandboxRefusal.invalid(
                "parameter_missing", "Missing required param: amount.", param: "amount")
        }
        try currency()
        let account = try need("destination")
        try receiver(account, param: "destination")
        guard try SandboxObject.find("balance", StripeSandbox.emptyBalance, tx) == nil else {
            throw SandboxRefusal.state(
                "balance_insufficient", "You have insufficient available funds in your account.")
        }
        return transfer(
            amount, to: account, group: form["transfer_group"], source: nil, metadata: try metadata()
        ).body
    }

    @discardableResult
    func transfer(_ amount: Int, to account: String, group: String?, source: String?, metadata: JSONValue)
        -> SandboxObject
    {
        let id = id("tr")
        var transfer = SandboxObject(
            "transfer", id: id, at: now,
            [
                "amount": .int(amount), "amount_reversed": 0, "balance_transaction": .string(self.id("txn")),
                "currency": "usd", "description": .text(form["description"]),
                "destination": .string(account), "destination_payment": .string(self.id("py")),
                "metadata": metadata,
                "reversals": [
                    "object": "list", "data": [], "has_more": false, "total_count": 0,
                    "url": .string("/v1/transfers/\(id)/reversals"),
                ],
                "reversed": false, "source_transaction": .text(source), "source_type": "card",
                "transfer_group": .text(group),
            ])
        (transfer.parent, transfer.owner, transfer.amount) = (group, account, amount)
        add(transfer)
        tell("transfer.created", transfer)
        return transfer
    }

    func createReversal(_ id: String) throws -> JSONObject {
        var transfer = try lock("transfer", id)
        let left = transfer.amount - transfer.returned
        guard left > 0 else {
            throw SandboxRefusal.state(nil, "Transfer \(id) is already fully reversed.")
        }
        let amount = try cents("amount") ?? left
        guard amount <= left else {
            throw SandboxRefusal.state(
                nil, "Reversal amount (\(amount)) is greater than what is left of the transfer (\(left))",
                param: "amount")
        }
        return try reverse(&transfer, amount, refund: nil, metadata: try metadata()).body
    }

    func reverse(_ transfer: inout SandboxObject, _ amount: Int, refund: String?, metadata: JSONValue) throws
        -> SandboxObject
    {
        var reversal = SandboxObject(
            "transfer_reversal", id: id("trr"), at: now,
            [
                "amount": .int(amount), "balance_transaction": .string(id("txn")), "currency": "usd",
                "destination_payment_refund": .string(id("pyr")), "metadata": metadata,
                "source_refund": .text(refund), "transfer": .string(transfer.id),
            ])
        reversal.parent = transfer.id
        reversal.body["livemode"] = nil
        transfer.returned += amount
        transfer.body["amount_reversed"] = .int(transfer.returned)
        transfer.body["reversed"] = .bool(transfer.returned == transfer.amount)
        add(reversal)
        try save(transfer)
        tell("transfer.reversed", transfer)
        return reversal
    }

    /// Pays an account's balance to its bank; instant ones within half an hour.
    func createPayout() throws -> JSONObject {
        guard let amount = try cents("amount") else {
            throw SandboxRefusal.invalid(
                "parameter_missing", "Missing required param: amount.", param: "amount")
        }
        try currency()
        guard !account.isEmpty else {
            throw SandboxRefusal.invalid(
                nil, "The built-in Stripe pays out connected accounts alone; send Stripe-Account.")
        }
        let method = try choice("method", of: ["standard", "instant"], otherwise: "standard")
        return try payout(amount, isInstant: method == "instant", metadata: try metadata()).body
    }

    func payout(_ amount: Int, isInstant: Bool, metadata: JSONValue) throws -> SandboxObject {
        // Held to the end, so that two payouts do not spend the same money.
        let receiver: SandboxObject? = try tx.one(
            """
            SELECT \(SandboxObject.columns) FROM stripe_sandbox_objects
            WHERE id = \(account) AND kind = 'account' \(.forUpdate)
            """)
        guard let receiver else {
            throw SandboxRefusal.invalid(
                "account_invalid",
                "The provided key does not have access to account '\(account.prefix(100))'.",
                status: 403)
        }
        guard receiver.body["payouts_enabled"] == true else {
            throw SandboxRefusal.state("payouts_not_allowed", "Cannot create payouts for this account.")
        }
        guard try balance(of: account) >= amount else {
            throw SandboxRefusal.state(
                "balance_insufficient", "You have insufficient funds in your Stripe account for this payout.",
                param: "amount")
        }
        var payout = SandboxObject(
            "payout", id: id("po"), at: now,
            [
                "amount": .int(amount), "arrival_date": .int((now + Self.arrival(isInstant)).wholeSeconds),
                "automatic": .bool(!isInstant), "balance_transaction": .string(id("txn")), "currency": "usd",
                "description": .null, "destination": .string("ba_" + account.dropFirst(5)),
                "failure_balance_transaction": .null, "failure_code": .null, "failure_message": .null,
                "metadata": metadata, "method": .string(isInstant ? "instant" : "standard"),
                "original_payout": .null, "reversed_by": .null, "source_type": "card",
                "statement_descriptor": .null, "status": "pending", "type": "bank_account",
            ])
        (payout.account, payout.owner, payout.amount) = (account, account, amount)
        try plan(&payout, at: now + Self.arrival(isInstant))
        add(payout)
        tell("payout.created", payout)
        return payout
    }

    private static func arrival(_ isInstant: Bool) -> Duration { .seconds(isInstant ? 1_800 : 2 * 86_400) }

    /// What arrived and was neither taken back nor paid out.
    func balance(of account: String) throws -> Int {
        try tx.value(
            """
            SELECT CAST(COALESCE(SUM(
                CASE WHEN kind = 'payout' THEN returned - amount ELSE amount - returned END), 0) AS BIGINT)
            FROM stripe_sandbox_objects WHERE owner = \(account) AND kind IN ('transfer', 'payout')
            """) ?? 0
    }

    func settle(_ payout: inout SandboxObject, failure: String?) throws {
        payout.dueAt = nil
        payout.body["status"] = .string(failure == nil ? "paid" : "failed")
        if let failure {
            payout.returned = payout.amount
            payout.body["failure_code"] = .string(failure)
            payout.body["failure_message"] = "The bank returned the payout."
            payout.body["failure_balance_transaction"] = .string(id("txn"))
        }
        try save(payout)
        tell(failure == nil ? "payout.paid" : "payout.failed", payout)
    }
}
