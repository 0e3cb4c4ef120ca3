import JSON
import Kernel
import Storage

// Payment intents until their capture.
extension SandboxTurn {
    /// How long a bank holds money that is not captured.
    static let holding = Duration.seconds(7 * 86_400)

    func createPayment() throws -> JSONObject {
        guard let amount = try cents("amount") else {
            throw SandboxRefusal.invalid(
                "parameter_missing", "Missing required param: amount.", param: "amount")
        }
        try currency()
        guard amount >= 50 else {
            throw SandboxRefusal.invalid(
                "amount_too_small", "Amount must be at least $0.50 usd", param: "amount")
        }
        let customer = form["customer"]
        if let customer { _ = try find("customer", customer, param: "customer") }
        let destination = try destination(of: amount)
        let id = id("pi")
        var intent = SandboxObject(
            "payment_intent", id: id, at: now,
            [
                "amount": .int(amount), "amount_capturable": 0, "amount_details": ["tip": [:]],
                "amount_received": 0, "application": .null, "application_fee_amount": .null,
                "automatic_payment_methods": .null, "canceled_at": .null, "cancellation_reason": .null,
                "capture_method": .string(
                    try choice(
                        "capture_method", of: ["automatic", "automatic_async", "manual"],
                        otherwise: "automatic")),
                "client_secret": secret(id), "confirmation_method": "automatic", "currency": "usd",
                "customer": .text(customer), "description": .text(form["description"]),
                "last_payment_error": .null, "latest_charge": .null, "metadata": try metadata(),
                "next_action": .null, "on_behalf_of": .null, "payment_method": .null,
                "payment_method_options": ["card": ["request_three_d_secure": "automatic"]],
                "payment_method_types": ["card"], "processing": .null,
                "receipt_email": .text(form["receipt_email"]), "review": .null,
                "setup_future_usage": .text(form["setup_future_usage"]), "shipping": .null,
                "statement_descriptor": .null, "statement_descriptor_suffix": .null,
                "status": "requires_payment_method", "transfer_data": destination,
                "transfer_group": .text(form["transfer_group"]),
            ])
        intent.owner = customer
        let isConfirmed = try bool("confirm")
        if let given = form["payment_method"] {
            let method = try method(given, customer)
            intent.card = method.card
            intent.body["payment_method"] = .string(method.id)
            intent.body["status"] = "requires_confirmation"
        } else if isConfirmed {
            throw SandboxRefusal.invalid(
                "parameter_missing", "Missing required param: payment_method.", param: "payment_method")
        }
        add(intent)
        tell("payment_intent.created", intent)
        return isConfirmed ? try confirm(intent) : intent.body
    }

    private func destination(of amount: Int) throws -> JSONValue {
        guard let id = form["transfer_data[destination]"] else { return .null }
        try receiver(id, param: "transfer_data[destination]")
        guard let part = try cents("transfer_data[amount]") else { return ["destination": .string(id)] }
        guard part <= amount else {
            throw SandboxRefusal.invalid(
                nil, "The transfer_data[amount] must not be greater than the amount of the payment.",
                param: "transfer_data[amount]")
        }
        return ["amount": .int(part), "destination": .string(id)]
    }

    /// An account that money can be sent to.
    func receiver(_ id: String, param: String) throws {
        let found = try SandboxObject.find("account", id, tx)
        guard let found else {
            throw SandboxRefusal.invalid(
                "resource_missing", "No such destination: '\(id.prefix(100))'", param: param)
        }
        guard found.body["capabilities"]?["transfers"] == "active" else {
            throw SandboxRefusal.state(
                "insufficient_capabilities_for_transfer",
                "Your destination account needs to have the transfers capability enabled.", param: param)
        }
    }

    private func method(_ id: String, _ customer: String?) throws -> SandboxObject {
        if let card = SandboxCard.named(id) { return makeMethod(card, customer: nil) }
        let method = try find("payment_method", id, param: "payment_method")
        guard method.owner == nil || method.owner == customer else {
            throw SandboxRefusal.invalid(
                nil, "The PaymentMethod \(method.id) does not belong to the Customer of this payment.",
                param: "payment_method")
        }
        return method
    }

    func confirmPayment(_ id: String) throws -> JSONObject {
        var intent = try lock("payment_intent", id)
        guard intent.status.hasPrefix("requires_"), intent.status != "requires_capture" else {
            throw unexpected(intent, "confirmed")
        }
        if let given = form["payment_method"] {
            let method = try method(given, intent.owner)
            intent.card = method.card
            intent.body["payment_method"] = .string(method.id)
        }
        guard intent.text("payment_method") != nil else {
            throw SandboxRefusal.state(
                "payment_intent_unexpected_state",
                "You cannot confirm this PaymentIntent because it's missing a payment method.",
                ["payment_intent": .object(intent.body)])
        }
        return try confirm(intent)
    }

    /// What the bank says.
    private func confirm(_ intent: SandboxObject) throws -> JSONObject {
        var intent = intent
        let course = intent.card.flatMap(SandboxCard.named)?.course ?? .pays
        switch course {
        case .declines(let code, let reason): throw try decline(intent, code, reason)
        case .asks:
            if try bool("off_session") {
                throw try decline(intent, "authentication_required", "authentication_required")
            }
            intent.body["status"] = "requires_action"
            intent.body["next_action"] = [
                "type": "use_stripe_sdk", "use_stripe_sdk": ["type": "three_d_secure_redirect"],
            ]
            try save(intent)
            tell("payment_intent.requires_action", intent)
            return intent.body
        default: return try authorize(&intent).body
        }
    }

    /// Holds the money, and takes it at once unless it is to be captured later.
    func authorize(_ intent: inout SandboxObject) throws -> SandboxObject {
        let amount = intent.body["amount"]?.intValue ?? 0
        let charge = charge(intent, error: nil)
        intent.body.merge([
            "last_payment_error": .null, "latest_charge": .string(charge.id), "next_action": .null,
            "amount_capturable": .int(amount), "status": "requires_capture",
        ])
        guard intent.text("capture_method") == "manual" else {
            try save(intent)
            try take(&intent, charge, amount)
            return intent
        }
        // Not told to the queue: a payment expires for whoever looks at it.
        intent.dueAt = now + Self.holding
        try save(intent)
        tell("payment_intent.amount_capturable_updated", intent)
        tell("charge.succeeded", charge)
        return intent
    }

    func decline(_ intent: SandboxObject, _ code: String, _ reason: String) throws -> SandboxRefusal {
        var (intent, error) = (intent, SandboxCard.error(code: code, reason: reason))
        let charge = charge(intent, error: error)
        error["charge"] = .string(charge.id)
        if let method = intent.text("payment_method"), let card = intent.card.flatMap(SandboxCard.named) {
            let shown = Self.method(card, id: method, customer: intent.owner, at: now)
            error["payment_method"] = .object(shown.body)
        }
        intent.body.merge([
            "last_payment_error": .object(error), "latest_charge": .string(charge.id),
            "payment_method": .null, "status": "requires_payment_method", "next_action": .null,
        ])
        try save(intent)
        tell("payment_intent.payment_failed", intent)
        tell("charge.failed", charge)
        error["payment_intent"] = .object(intent.body)
        return SandboxRefusal(status: 402, error: error, isKept: true)
    }

    func cancelPayment(_ id: String) throws -> JSONObject {
        var intent = try lock("payment_intent", id)
        guard !["succeeded", "canceled"].contains(intent.status) else {
            throw unexpected(intent, "canceled")
        }
        let reason = try choice(
            "cancellation_reason",
            of: ["duplicate", "fraudulent", "requested_by_customer", "abandoned"], otherwise: "")
        try cancel(&intent, reason: reason.isEmpty ? nil : reason)
        return intent.body
    }

    func cancel(_ intent: inout SandboxObject, reason: String?) throws {
        intent.dueAt = nil
        intent.body.merge([
            "amount_capturable": 0, "canceled_at": .int(now.wholeSeconds),
            "cancellation_reason": .text(reason),
            "next_action": .null, "status": "canceled",
        ])
        try save(intent)
        tell("payment_intent.canceled", intent)
    }

    func unexpected(_ intent: SandboxObject, _ verb: String) -> SandboxRefusal {
        .state(
            "payment_intent_unexpected_state",
            "This PaymentIntent could not be \(verb) because it has a status of \(intent.status).",
            ["payment_intent": .object(intent.body)])
    }
}
