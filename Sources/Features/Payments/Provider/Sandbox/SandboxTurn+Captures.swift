import JSON
import Kernel
import Storage

// Charges, captures and refunds.
extension SandboxTurn {
    /// A charge, held or refused.
    func charge(_ intent: SandboxObject, error: JSONObject?) -> SandboxObject {
        let card = intent.card.flatMap(SandboxCard.named)
        var details = card?.shown ?? [:]
        for name in ["generated_from", "networks", "three_d_secure_usage"] { details[name] = nil }
        details["network"] = .text(card?.brand)
        let isHeld = error == nil
        let outcome: JSONValue = [
            "network_status": .string(isHeld ? "approved_by_network" : "declined_by_network"),
            "reason": error?["decline_code"] ?? .null, "risk_level": "normal",
            "seller_message": .string(isHeld ? "Payment complete." : "The bank declined the payment."),
            "type": .string(isHeld ? "authorized" : "issuer_declined"),
        ]
        var charge = SandboxObject(
            "charge", id: id("ch"), at: now,
            [
                "amount": intent.body["amount"] ?? 0, "amount_captured": 0, "amount_refunded": 0,
                "application": .null, "application_fee": .null, "application_fee_amount": .null,
                "balance_transaction": .null,
                "billing_details": Self.method(
                    SandboxCard.all[0], id: "", customer: nil, at: now
                ).body["billing_details"] ?? .null,
                "calculated_statement_descriptor": "INSTAINSTRU", "captured": false, "currency": "usd",
                "customer": .text(intent.owner), "description": intent.body["description"] ?? .null,
                "disputed": false, "failure_balance_transaction": .null,
                "failure_code": error?["code"] ?? .null, "failure_message": error?["message"] ?? .null,
                "fraud_details": [:], "metadata": intent.body["metadata"] ?? [:], "on_behalf_of": .null,
                "outcome": outcome, "paid": .bool(isHeld), "payment_intent": .string(intent.id),
                "payment_method": intent.body["payment_method"] ?? .null,
                "payment_method_details": ["card": .object(details), "type": "card"],
                "receipt_email": .null, "receipt_number": .null, "receipt_url": .null, "refunded": false,
                "review": .null, "shipping": .null, "source_transfer": .null,
                "statement_descriptor": .null, "statement_descriptor_suffix": .null,
                "status": .string(isHeld ? "succeeded" : "failed"), "transfer": .null,
                "transfer_data": intent.body["transfer_data"] ?? .null,
                "transfer_group": intent.body["transfer_group"] ?? .null,
            ])
        (charge.parent, charge.owner, charge.card) = (intent.id, intent.owner, intent.card)
        add(charge)
        return charge
    }

    func capturePayment(_ id: String) throws -> JSONObject {
        var intent = try lock("payment_intent", id)
        let held = intent.body["amount_capturable"]?.intValue ?? 0
        guard intent.status == "requires_capture" else { throw unexpected(intent, "captured") }
        let amount = try cents("amount_to_capture") ?? held
        guard amount <= held else {
            throw SandboxRefusal.invalid(
                "amount_too_large", "The amount to capture is more than the \(held) cents that are held.",
                param: "amount_to_capture")
        }
        try bankAgrees(&intent)
        let charge = try lock("charge", intent.text("latest_charge") ?? "")
        try take(&intent, charge, amount)
        return intent.body
    }

    /// Some cards' banks have to be asked again, later or in vain.
    private func bankAgrees(_ intent: inout SandboxObject) throws {
        let course = intent.card.flatMap(SandboxCard.named)?.course
        guard course == .capturesLate || course == .neverCaptures else { return }
        let first = intent.triedAt ?? now
        if course == .capturesLate, intent.triedAt != nil, now >= first + SandboxCard.recovery { return }
        intent.triedAt = first
        try save(intent)
        var error = SandboxCard.error(code: "card_declined", reason: "try_again_later")
        error["charge"] = intent.body["latest_charge"]
        error["payment_intent"] = .object(intent.body)
        throw SandboxRefusal(status: 402, error: error, isKept: true)
    }

    /// Takes the money that is held, and sends the instructor's part on.
    func take(_ intent: inout SandboxObject, _ charge: SandboxObject, _ amount: Int) throws {
        var charge = charge
        charge.amount = amount
        charge.body.merge([
            "amount_captured": .int(amount), "captured": true, "balance_transaction": .string(id("txn")),
        ])
        if let data = intent.body["transfer_data"], let account = data["destination"]?.stringValue {
            let part = min(data["amount"]?.intValue ?? amount, amount)
            let transfer = transfer(
                part, to: account, group: intent.text("transfer_group"), source: charge.id, metadata: [:])
            charge.body["transfer"] = .string(transfer.id)
        }
        if intent.card.flatMap(SandboxCard.named)?.course == .disputes {
            try plan(&charge, at: now + SandboxCard.complaint)
        }
        intent.dueAt = nil
        intent.body.merge([
            "amount_capturable": 0, "amount_received": .int(amount), "status": "succeeded",
        ])
        try save(charge)
        try save(intent)
        tell(intent.text("capture_method") == "manual" ? "charge.captured" : "charge.succeeded", charge)
        tell("payment_intent.succeeded", intent)
    }

    func createRefund() throws -> JSONObject {
        var charge = try refundable()
        let left = charge.amount - charge.returned
        guard left > 0 else {
            throw SandboxRefusal.state(
                "charge_already_refunded", "Charge \(charge.id) has already been refunded.")
        }
        let amount = try cents("amount") ?? left
        guard amount <= left else {
            throw SandboxRefusal.state(
                nil, "Refund amount (\(amount)) is greater than unrefunded amount on charge (\(left))",
                param: "amount")
        }
        let reason = try choice(
            "reason", of: ["duplicate", "fraudulent", "requested_by_customer"], otherwise: "")
        let isReversing = try bool("reverse_transfer")
        if try bool("refund_application_fee") {
            throw SandboxRefusal.invalid(
                nil, "Charge \(charge.id) has no application fee to refund.", param: "refund_application_fee")
        }
        var refund = SandboxObject(
            "refund", id: id("re"), at: now,
            [
                "amount": .int(amount), "balance_transaction": .string(id("txn")),
                "charge": .string(charge.id), "currency": "usd", "metadata": try metadata(),
                "payment_intent": .text(charge.parent), "reason": .text(reason.isEmpty ? nil : reason),
                "receipt_number": .null, "source_transfer_reversal": .null, "status": "succeeded",
                "transfer_reversal": .null,
            ])
        if isReversing {
            refund.body["transfer_reversal"] = .text(try reverse(of: charge, amount, for: refund.id))
        }
        (refund.parent, refund.owner) = (charge.parent, charge.id)
        charge.returned += amount
        charge.body["amount_refunded"] = .int(charge.returned)
        charge.body["refunded"] = .bool(charge.returned == charge.amount)
        add(refund)
        try save(charge)
        tell("charge.refunded", charge)
        return refund.body
    }

    private func refundable() throws -> SandboxObject {
        var id = form["charge"]
        if let payment = form["payment_intent"] {
            let intent = try lock("payment_intent", payment, param: "payment_intent")
            id = intent.text("latest_charge")
            guard intent.status == "succeeded" else {
                throw SandboxRefusal.state(
                    "payment_intent_unexpected_state",
                    "This PaymentIntent (\(payment)) does not have a successful charge to refund.",
                    ["payment_intent": .object(intent.body)])
            }
        }
        guard let id else {
            throw SandboxRefusal.invalid(
                "parameter_missing",
                "One of the following params should be provided: payment_intent or charge.",
                param: "payment_intent")
        }
        let charge = try lock("charge", id, param: "charge")
        guard charge.body["captured"] == true else {
            throw SandboxRefusal.state(
                "charge_not_refundable", "Charge \(id) was not captured and cannot be refunded.")
        }
        guard charge.body["disputed"] != true else {
            throw SandboxRefusal.state(
                "charge_disputed", "Charge \(id) has been charged back; cannot issue a refund.")
        }
        return charge
    }

    /// Takes the instructor's part back in proportion: after the last refund, all of it.
    private func reverse(of charge: SandboxObject, _ amount: Int, for refund: String) throws -> String? {
        guard let id = charge.text("transfer") else {
            throw SandboxRefusal.invalid(
                nil, "Charge \(charge.id) has no transfer to reverse.", param: "reverse_transfer")
        }
        var transfer = try lock("transfer", id)
        func part(_ refunded: Int) -> Int {
            (2 * transfer.amount * refunded + charge.amount) / (2 * charge.amount)
        }
        let due = part(charge.returned + amount) - part(charge.returned)
        // What was reversed on its own cannot be taken a second time.
        let rest = min(due, transfer.amount - transfer.returned)
        return rest > 0 ? try reverse(&transfer, rest, refund: refund, metadata: [:]).id : nil
    }
}
