import JSON
import Kernel
import Storage

// Customers, their cards, and setting cards up.
extension SandboxTurn {
    func createCustomer() throws -> JSONObject {
        let id = id("cus")
        let object = SandboxObject(
            "customer", id: id, at: now,
            [
                "address": .null, "balance": 0, "currency": .null, "default_source": .null,
                "delinquent": false, "description": .text(form["description"]), "discount": .null,
                "email": .text(form["email"]),
                "invoice_prefix": .string(String(id.suffix(8))),
                "invoice_settings": [
                    "custom_fields": .null, "default_payment_method": .null, "footer": .null,
                    "rendering_options": .null,
                ],
                "metadata": try metadata(), "name": .text(form["name"]), "phone": .text(form["phone"]),
                "preferred_locales": [], "shipping": .null, "tax_exempt": "none", "test_clock": .null,
            ])
        add(object)
        tell("customer.created", object)
        return object.body
    }

    func updateCustomer(_ id: String) throws -> JSONObject {
        var customer = try lock("customer", id)
        for name in ["description", "email", "name", "phone"] {
            if let text = form[name] { customer.body[name] = .text(text.isEmpty ? nil : text) }
        }
        customer.body["metadata"] = try metadata(over: customer.body["metadata"]?.objectValue)
        try save(customer)
        tell("customer.updated", customer)
        return customer.body
    }

    /// A card by its number, as the student's browser gives it.
    func createPaymentMethod() throws -> JSONObject {
        guard try need("type") == "card" else {
            throw SandboxRefusal.invalid(
                nil, "Invalid type: the built-in Stripe knows card alone", param: "type")
        }
        let number = try need("card[number]").filter { $0 != " " }
        guard let card = SandboxCard.numbered(number) else {
            throw SandboxRefusal.invalid(
                "incorrect_number", "The built-in Stripe takes Stripe's test cards alone.",
                param: "card[number]", status: 402)
        }
        let method = makeMethod(card, customer: nil, metadata: try metadata())
        return method.body
    }

    func makeMethod(_ card: SandboxCard, customer: String?, metadata: JSONValue = [:]) -> SandboxObject {
        var object = Self.method(card, id: id("pm"), customer: customer, at: now)
        object.body["metadata"] = metadata
        add(object)
        return object
    }

    static func method(_ card: SandboxCard, id: String, customer: String?, at now: Instant) -> SandboxObject {
        let nobody: JSONValue = [
            "city": .null, "country": .null, "line1": .null, "line2": .null, "postal_code": .null,
            "state": .null,
        ]
        var object = SandboxObject(
            "payment_method", id: id, at: now,
            [
                "billing_details": ["address": nobody, "email": .null, "name": .null, "phone": .null],
                "card": .object(card.shown), "customer": .text(customer), "metadata": [:], "type": "card",
            ])
        (object.owner, object.card) = (customer, card.name)
        return object
    }

    /// One of Stripe's test ids stands for a new card each time.
    ///
    /// Every card can be attached, also those that Stripe would already refuse here: what they
    /// are for is what happens later.
    func attach(_ id: String, to customer: String) throws -> SandboxObject {
        _ = try find("customer", customer, param: "customer")
        if let card = SandboxCard.named(id) {
            let object = makeMethod(card, customer: customer)
            tell("payment_method.attached", object)
            return object
        }
        var method = try lock("payment_method", id)
        guard method.owner != customer else { return method }
        guard method.owner == nil else {
            throw SandboxRefusal.state(
                "payment_method_unexpected_state",
                "The payment method you provided has already been attached to a customer.")
        }
        method.owner = customer
        method.body["customer"] = .string(customer)
        try save(method)
        tell("payment_method.attached", method)
        return method
    }

    func detach(_ id: String) throws -> JSONObject {
        var method = try lock("payment_method", id)
        guard method.owner != nil else {
            throw SandboxRefusal.state(
                "payment_method_unexpected_state",
                "The payment method you provided is not attached to a customer so detachment is impossible.")
        }
        (method.owner, method.body["customer"]) = (nil, .null)
        try save(method)
        tell("payment_method.detached", method)
        return method.body
    }

    func createSetupIntent() throws -> JSONObject {
        let customer = form["customer"]
        if let customer { _ = try find("customer", customer, param: "customer") }
        let id = id("seti")
        var object = SandboxObject(
            "setup_intent", id: id, at: now,
            [
                "application": .null, "cancellation_reason": .null, "client_secret": secret(id),
                "customer": .text(customer), "description": .text(form["description"]),
                "last_setup_error": .null, "latest_attempt": .null, "mandate": .null,
                "metadata": try metadata(), "next_action": .null, "on_behalf_of": .null,
                "payment_method": .text(form["payment_method"]), "payment_method_options": .null,
                "payment_method_types": ["card"], "single_use_mandate": .null,
                "status": .string(
                    form["payment_method"] == nil ? "requires_payment_method" : "requires_confirmation"),
                "usage": .string(
                    try choice("usage", of: ["off_session", "on_session"], otherwise: "off_session")),
            ])
        object.owner = customer
        add(object)
        tell("setup_intent.created", object)
        guard try bool("confirm") else { return object.body }
        return try confirm(setup: object)
    }

    func confirmSetupIntent(_ id: String) throws -> JSONObject {
        try confirm(setup: try lock("setup_intent", id))
    }

    /// The student gave a card: it is attached to the customer.
    private func confirm(setup: SandboxObject) throws -> JSONObject {
        var setup = setup
        guard setup.status.hasPrefix("requires_") else {
            throw SandboxRefusal.state(
                "setup_intent_unexpected_state",
                "This SetupIntent's status is \(setup.status), so it cannot be confirmed.",
                ["setup_intent": .object(setup.body)])
        }
        guard let id = form["payment_method"] ?? setup.text("payment_method") else {
            throw SandboxRefusal.invalid(
                "parameter_missing", "Missing required param: payment_method.", param: "payment_method")
        }
        var method = id
        if let customer = setup.owner { method = try attach(id, to: customer).id }
        setup.body["payment_method"] = .string(method)
        setup.body["status"] = "succeeded"
        try save(setup)
        tell("setup_intent.succeeded", setup)
        return setup.body
    }
}
