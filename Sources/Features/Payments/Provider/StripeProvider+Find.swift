import JSON
import Kernel
import Storage

// Looking at what Stripe has.
extension StripeProvider {
    func retrieve(_ kind: PaymentObject.Kind, _ id: String) async throws -> PaymentOutcome<PaymentObject?> {
        guard let path = kind.stripePath else {
            throw Failure(
                .internal, "Stripe has no \(kind.rawValue) by its id alone.",
                hint: "List those of its transfer.")
        }
        let form = kind == .paymentIntent ? StripeRequest.withCharge : [:]
        let reply = try await ask(StripeCall(.get, path + "/" + ServiceURL.escaped(id), form))
        switch Self.outcome(reply) {
        case .refused(let problem) where problem.kind == .notFound: return .done(nil)
        case let outcome:
            return outcome.map { $0["deleted"]?.boolValue == true ? nil : PaymentObject(kind, stripe: $0) }
        }
    }

    func list(_ kind: PaymentObject.Kind, _ page: PaymentPage) async throws -> PaymentOutcome<PaymentList> {
        let reply = try await ask(try Self.listing(kind, page))
        return Self.outcome(reply).map { body in
            PaymentList(
                objects: (body["data"]?.arrayValue ?? []).map { PaymentObject(kind, stripe: $0) },
                hasMore: body["has_more"]?.boolValue ?? false)
        }
    }

    private static func listing(_ kind: PaymentObject.Kind, _ page: PaymentPage) throws -> StripeCall {
        var form: StripeForm = ["limit": String(min(max(page.limit, 1), 100))]
        form["created[gte]"] = page.since.map(Self.seconds)
        form["created[lt]"] = page.until.map(Self.seconds)
        form["starting_after"] = page.after
        var path = kind.stripePath
        switch kind {
        case .paymentIntent:
            form["customer"] = page.parent
            form["expand[0]"] = "data.latest_charge"
        case .setupIntent, .paymentMethod: form["customer"] = page.parent
        case .refund: form["payment_intent"] = page.parent
        case .transfer: form["transfer_group"] = page.parent
        case .identitySession: form["client_reference_id"] = page.parent
        case .reversal:
            path = page.parent.map { StripeRequest.path(["transfers", $0, "reversals"]) }
            // They are few, and this list knows no time.
            (form["created[gte]"], form["created[lt]"]) = (nil, nil)
        case .customer, .account, .payout, .event, .link: break
        }
        guard let path else {
            throw Failure(
                .internal, "Stripe does not list \(kind.rawValue)s without their parent.",
                hint: "Give the transfer as `parent`.")
        }
        return StripeCall(.get, path, form, account: page.account)
    }

    /// Whole seconds upwards: nothing made before the moment is in.
    private static func seconds(_ instant: Instant) -> String {
        String((instant.microseconds + 999_999) / 1_000_000)
    }

    /// See ``PaymentProvider/find``. What is made is known by its `operation_key`; a capture, a
    /// cancellation and settings by the state that they lead to.
    func find(_ request: PaymentRequest, _ key: String) async throws -> PaymentOutcome<PaymentObject?> {
        switch request {
        case .createCustomer(let user):
            return try await first(.customer, PaymentPage(since: Self.after(user)), key)
        case .createAccount(let instructor):
            return try await first(.account, PaymentPage(since: Self.after(instructor)), key)
        case .createSetupIntent(let customer):
            return try await first(.setupIntent, PaymentPage(parent: customer), key)
        case .authorize(let authorization):
            return try await findAuthorization(authorization, key)
        case .refund(let refund): return try await first(.refund, PaymentPage(parent: refund.intent), key)
        case .transfer(let transfer):
            // Those of one booking, or all of one instructor's.
            return try await first(
                .transfer, PaymentPage(parent: transfer.group), key, destination: transfer.destination)
        case .reverse(let transfer, _):
            return try await first(.reversal, PaymentPage(parent: transfer), key)
        case .instantPayout(let account, _):
            return try await first(.payout, PaymentPage(account: account), key)
        case .createIdentitySession(let user, _):
            return try await first(.identitySession, PaymentPage(parent: user.description), key)
        case .capture(let intent): return try await payment(intent, if: "succeeded")
        case .cancel(let intent): return try await payment(intent, if: "canceled")
        case .attachPaymentMethod(let id, let customer):
            return try await retrieve(.paymentMethod, id).map { $0?.customer == customer ? $0 : nil }
        case .detachPaymentMethod(let id):
            return try await retrieve(.paymentMethod, id).map { $0?.customer == nil ? $0 : nil }
        case .weeklyPayouts(let account, let anchor): return try await schedule(account, anchor)
        // A link is worth nothing until it is followed, so a lost one is simply asked for again.
        case .accountLink, .loginLink: return .done(nil)
        }
    }

    /// Nothing of somebody is older than they are, give or take what the clocks differ.
    private static func after(_ id: ULID) -> Instant { id.instant - .seconds(86_400) }

    private func payment(_ id: String, if status: String) async throws -> PaymentOutcome<PaymentObject?> {
        try await retrieve(.paymentIntent, id).map { $0?.status == status ? $0 : nil }
    }

    /// A payment that the bank refused was taken: its refusal is what became of it.
    private func findAuthorization(_ authorization: PaymentRequest.Authorization, _ key: String)
        async throws -> PaymentOutcome<PaymentObject?>
    {
        let found = try await first(.paymentIntent, PaymentPage(parent: authorization.customer), key)
        guard case .done(let payment?) = found, payment.status == "requires_payment_method" else {
            return found
        }
        return .refused(payment.problem ?? PaymentProblem(.cardDeclined))
    }

    private func schedule(_ account: String, _ anchor: String) async throws -> PaymentOutcome<PaymentObject?>
    {
        let reply = try await ask(StripeCall(.get, "accounts/" + ServiceURL.escaped(account)))
        return Self.outcome(reply).map { body in
            let schedule = body["settings"]?["payouts"]?["schedule"]
            let isSet = schedule?["interval"] == "weekly" && schedule?["weekly_anchor"] == .string(anchor)
            return isSet ? PaymentObject(.account, stripe: body) : nil
        }
    }

    /// The object that carries the key. Nil only after every page was seen.
    private func first(
        _ kind: PaymentObject.Kind, _ page: PaymentPage, _ key: String, destination: String? = nil
    ) async throws -> PaymentOutcome<PaymentObject?> {
        var call = try Self.listing(kind, page)
        call.form["destination"] = destination
        for _ in 0..<Self.maximumPages {
            switch Self.outcome(try await ask(call)) {
            case .done(let body):
                let objects = (body["data"]?.arrayValue ?? []).map { PaymentObject(kind, stripe: $0) }
                if let found = objects.first(where: { $0.metadata[StripeRequest.operationKey] == key }) {
                    return .done(found)
                }
                guard body["has_more"]?.boolValue == true, let last = objects.last else { return .done(nil) }
                call.form["starting_after"] = last.id
            case .refused(let problem): return .refused(problem)
            case .busy(let wait): return .busy(wait)
            case .unknown(let reason): return .unknown(reason)
            }
        }
        return .unknown("stripe: more than \(Self.maximumPages) pages to look through")
    }
}
