import JSON
import Kernel
import Storage

/// A call of the built-in Stripe: what it may be given and what it does.
struct SandboxRoute: Sendable {
    enum Work: Sendable {
        case read(@Sendable (SandboxList) throws -> JSONObject)
        case write(@Sendable (SandboxTurn) throws -> JSONObject)
    }

    /// Names of parameters; of those in `free`, any member.
    let parameters: Set<String>
    let work: Work

    private static let free: Set<String> = [
        "metadata", "expand", "payment_method_types", "types", "payment_method_options",
    ]
    private static let paging: Set<String> = [
        "limit", "starting_after", "expand", "created[gte]", "created[gt]", "created[lt]", "created[lte]",
    ]

    private static func read(
        _ parameters: Set<String> = ["expand"], _ body: @escaping @Sendable (SandboxList) throws -> JSONObject
    ) -> SandboxRoute { SandboxRoute(parameters: parameters, work: .read(body)) }

    private static func write(
        _ parameters: Set<String>, _ body: @escaping @Sendable (SandboxTurn) throws -> JSONObject
    ) -> SandboxRoute { SandboxRoute(parameters: parameters.union(["expand"]), work: .write(body)) }

    private static func list(
        _ kind: String, parent: String? = nil, owner: String? = nil, more: Set<String> = []
    ) -> SandboxRoute {
        let filters = Set([parent, owner].compactMap { $0 })
        return read(paging.union(filters).union(more)) { try $0.page(kind, parent: parent, owner: owner) }
    }

    /// Refuses what Stripe would not know.
    func check(_ form: StripeForm) throws {
        for pair in form.pairs {
            let name = pair.name.prefix { $0 != "[" }
            guard
                Self.free.contains(String(name))
                    ? parameters.contains(String(name)) : parameters.contains(pair.name)
            else {
                throw SandboxRefusal.invalid(
                    "parameter_unknown", "Received unknown parameter: \(pair.name.prefix(100))",
                    param: String(pair.name.prefix(100)))
            }
        }
    }

    static func of(_ call: StripeCall) -> SandboxRoute? {
        var parts = call.path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.first == "identity", parts.count > 1 { parts[0...1] = ["identity/\(parts[1])"] }
        guard parts.count <= 3, !parts.contains("") else { return nil }
        switch parts.count {
        case 1:
            return call.method == .get ? listing(parts[0]) : call.method == .post ? creation(parts[0]) : nil
        case 2:
            return call.method == .get ? look(parts[0], parts[1]) : call.method == .post ? update(parts) : nil
        default: return call.method == .delete ? nil : act(call.method, parts[0], parts[1], parts[2])
        }
    }

    private static let kinds: [String: String] = [
        "customers": "customer", "payment_methods": "payment_method", "setup_intents": "setup_intent",
        "payment_intents": "payment_intent", "charges": "charge", "refunds": "refund",
        "transfers": "transfer", "accounts": "account", "payouts": "payout", "disputes": "dispute",
        "identity/verification_sessions": "identity.verification_session",
    ]

    private static func look(_ resource: String, _ id: String) -> SandboxRoute? {
        if resource == "events" { return read { try $0.event(id) } }
        return kinds[resource].map { kind in read { try $0.one(kind, id) } }
    }

    private static func listing(_ resource: String) -> SandboxRoute? {
        switch resource {
        case "customers", "accounts", "payouts": kinds[resource].map { list($0) }
        case "payment_methods": list("payment_method", owner: "customer", more: ["type"])
        case "setup_intents": list("setup_intent", owner: "customer")
        case "payment_intents": list("payment_intent", owner: "customer")
        case "charges": list("charge", parent: "payment_intent", owner: "customer")
        case "refunds": list("refund", parent: "payment_intent", owner: "charge")
        case "transfers": list("transfer", parent: "transfer_group", owner: "destination")
        case "disputes": list("dispute", parent: "payment_intent", owner: "charge")
        case "identity/verification_sessions":
            list("identity.verification_session", owner: "client_reference_id")
        case "events": read(paging.union(["type", "types"])) { try $0.events() }
        default: nil
        }
    }

    private static func creation(_ resource: String) -> SandboxRoute? {
        switch resource {
        case "customers":
            write(["description", "email", "metadata", "name", "phone"]) { try $0.createCustomer() }
        case "payment_methods":
            write(["card[cvc]", "card[exp_month]", "card[exp_year]", "card[number]", "metadata", "type"]) {
                try $0.createPaymentMethod()
            }
        case "setup_intents":
            write([
                "confirm", "customer", "description", "metadata", "payment_method", "payment_method_types",
                "usage",
            ]) { try $0.createSetupIntent() }
        case "payment_intents":
            write([
                "amount", "capture_method", "confirm", "currency", "customer", "description", "metadata",
                "off_session", "payment_method", "payment_method_options", "payment_method_types",
                "receipt_email", "return_url", "setup_future_usage", "transfer_data[amount]",
                "transfer_data[destination]", "transfer_group",
            ]) { try $0.createPayment() }
        case "refunds":
            write([
                "amount", "charge", "metadata", "payment_intent", "reason", "refund_application_fee",
                "reverse_transfer",
            ]) { try $0.createRefund() }
        case "transfers":
            write(["amount", "currency", "description", "destination", "metadata", "transfer_group"]) {
                try $0.createTransfer()
            }
        case "payouts":
            write(["amount", "currency", "metadata", "method"]) { try $0.createPayout() }
        case "identity/verification_sessions":
            write(["client_reference_id", "metadata", "return_url", "type"]) {
                try $0.createIdentitySession()
            }
        case "account_links":
            write(["account", "refresh_url", "return_url", "type"]) { try $0.createAccountLink() }
        case "accounts":
            write(account.union(["country", "type"])) { try $0.createAccount().body }
        default: nil
        }
    }

    private static let account: Set<String> = [
        "business_type", "capabilities[card_payments][requested]", "capabilities[transfers][requested]",
        "email", "metadata", "settings[payouts][schedule][interval]",
        "settings[payouts][schedule][weekly_anchor]",
    ]

    private static func update(_ parts: [String]) -> SandboxRoute? {
        let id = parts[1]
        switch parts[0] {
        case "accounts": return write(account) { try $0.updateAccount(id) }
        case "customers":
            return write(["description", "email", "metadata", "name", "phone"]) { try $0.updateCustomer(id) }
        default: return nil
        }
    }

    private static func act(_ method: StripeCall.Method, _ resource: String, _ id: String, _ verb: String)
        -> SandboxRoute?
    {
        switch (method, resource, verb) {
        case (.get, "transfers", "reversals"):
            read(["limit", "starting_after", "expand"]) {
                try $0.page("transfer_reversal", parent: nil, fixed: id, owner: nil)
            }
        case (.post, "transfers", "reversals"):
            write(["amount", "description", "metadata"]) { try $0.createReversal(id) }
        case (.get, "customers", "payment_methods"):
            read(["limit", "starting_after", "expand", "type"]) { list in
                var call = list.call
                call.form["customer"] = id
                return try SandboxList(db: list.db, call: call).page(
                    "payment_method", parent: nil, owner: "customer")
            }
        case (.post, "payment_methods", "attach"):
            write(["customer"]) { try $0.attach(id, to: $0.need("customer")).body }
        case (.post, "payment_methods", "detach"): write([]) { try $0.detach(id) }
        case (.post, "setup_intents", "confirm"):
            write(["payment_method", "return_url"]) { try $0.confirmSetupIntent(id) }
        case (.post, "payment_intents", "confirm"):
            write(["off_session", "payment_method", "return_url"]) { try $0.confirmPayment(id) }
        case (.post, "payment_intents", "capture"):
            write(["amount_to_capture", "metadata"]) { try $0.capturePayment(id) }
        case (.post, "payment_intents", "cancel"):
            write(["cancellation_reason"]) { try $0.cancelPayment(id) }
        case (.post, "accounts", "login_links"): write([]) { try $0.createLoginLink(id) }
        default: nil
        }
    }
}
