import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What each test card does.
@Suite struct SandboxCardTests {
    /// On its own, and attached to a customer under an id of its own.
    private static func both(
        _ dialect: Dialect, _ card: String, _ body: (ProviderWorld, String, String) async throws -> Void
    ) async throws {
        try await ProviderWorld.with(dialect) { world in
            try await body(world, card, "auth-1")
            let attached = try await world.provider.made(
                .attachPaymentMethod(id: card, customer: world.customer), "attach-1")
            #expect(attached.id != card && attached.customer == world.customer)
            try await body(world, attached.id, "auth-2")
        }
    }

    @Test(
        arguments: TestDatabase.available,
        [
            ("pm_card_chargeDeclined", .cardDeclined, "generic_decline"),
            ("pm_card_visa_chargeDeclined", .cardDeclined, "generic_decline"),
            ("pm_card_chargeDeclinedInsufficientFunds", .insufficientFunds, "insufficient_funds"),
            ("pm_card_chargeDeclinedLostCard", .cardDeclined, "lost_card"),
            ("pm_card_chargeDeclinedExpiredCard", .expiredCard, "expired_card"),
            ("pm_card_chargeDeclinedProcessingError", .cardDeclined, "processing_error"),
            ("pm_card_chargeCustomerFail", .cardDeclined, "generic_decline"),
            ("pm_card_authenticationRequired", .authenticationRequired, "authentication_required"),
        ] as [(String, PaymentProblem.Kind, String)])
    func aCardIsDeclinedAndThePaymentSaysWhy(
        dialect: Dialect, expected: (card: String, kind: PaymentProblem.Kind, code: String)
    ) async throws {
        try await Self.both(dialect, expected.card) { world, method, key in
            let problem = try await world.provider.refusal(world.authorization(method), key)
            #expect(problem == PaymentProblem(expected.kind, declineCode: expected.code))
            #expect(problem?.isOfCard == true)
            // The answer may be lost: then it is the same that is found.
            guard case .refused(let found) = try await world.provider.find(world.authorization(method), key)
            else { throw Failure(.internal, "the refusal is found") }
            #expect(found == problem)
            let types = try await world.eventTypes().suffix(2)
            #expect(types == ["payment_intent.payment_failed", "charge.failed"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aStudentWhoIsThereConfirmsAtTheBank(dialect: Dialect) async throws {
        try await Self.both(dialect, "pm_card_authenticationRequired") { world, method, key in
            let request = world.authorization(method, isOffSession: false)
            let waiting = try await world.provider.made(request, key)
            #expect(waiting.status == "requires_action" && waiting.clientSecret != nil)
            try await world.sandbox.authenticate(waiting.id)
            let held = try await world.provider.now(.paymentIntent, waiting.id)
            #expect(held.status == "requires_capture")
            let paid = try await world.provider.made(.capture(intent: held.id), "capture-\(key)")
            #expect(paid.amountReceived == 11_200)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aStudentMayFailToConfirm(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let request = world.authorization("pm_card_authenticationRequired", isOffSession: false)
            let waiting = try await world.provider.made(request, "auth-1")
            try await world.sandbox.authenticate(waiting.id, succeeds: false)
            let failed = try await world.provider.now(.paymentIntent, waiting.id)
            #expect(failed.status == "requires_payment_method")
            #expect(failed.problem?.kind == .authenticationRequired)
        }
    }

    @Test(arguments: TestDatabase.available, [true, false])
    func aPaymentIsDisputedAnHourAfterItsCapture(dialect: Dialect, isWon: Bool) async throws {
        try await Self.both(dialect, "pm_card_createDispute") { world, method, key in
            let paid = try await world.paid(method, key: key)
            #expect(try await !world.eventTypes().suffix(3).contains("charge.dispute.created"))
            let start = world.platform.now
            try await world.platform.finishJobs()
            #expect(world.platform.now >= start + .seconds(3_600))
            let dispute = try await world.sandbox.dispute(ofPayment: paid.id)
            #expect(try await world.object("disputes/\(dispute)")["amount"] == 11_200)
            #expect(try await world.provider.refusal(world.refund(paid.id, 1), "r-\(key)")?.kind == .other)
            try await world.sandbox.closeDispute(dispute, isWon: isWon)
            #expect(
                try await world.object("disputes/\(dispute)")["status"]?.stringValue
                    == (isWon ? "won" : "lost"))
            let types = try await world.eventTypes()
            #expect(types.last == "charge.dispute.closed" && types.contains("charge.dispute.created"))
            let refund = try await world.provider.refusal(world.refund(paid.id, 1), "r2-\(key)")
            #expect((refund == nil) == isWon)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCaptureMayFailForAWhile(dialect: Dialect) async throws {
        try await Self.both(dialect, "pm_card_captureFailsLater") { world, method, key in
            let held = try await world.authorize(method, key: key)
            func capture(_ number: Int) async throws -> PaymentProblem? {
                try await world.provider.refusal(.capture(intent: held.id), "capture-\(key)-\(number)")
            }
            let problem = PaymentProblem(.cardDeclined, declineCode: "try_again_later")
            // It counts from the first capture, not from the authorization.
            world.platform.advance(by: .seconds(86_400))
            #expect(try await capture(1) == problem)
            world.platform.advance(by: .seconds(6 * 3_600 - 1))
            #expect(try await capture(2) == problem)
            #expect(try await world.provider.now(.paymentIntent, held.id).status == "requires_capture")
            world.platform.advance(by: .seconds(1))
            #expect(try await capture(3) == nil)
            #expect(try await world.provider.now(.paymentIntent, held.id).amountReceived == 11_200)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCaptureMayFailForGood(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let held = try await world.authorize("pm_card_captureFails")
            for day in 1...6 {
                let problem = try await world.provider.refusal(.capture(intent: held.id), "capture-\(day)")
                #expect(problem?.kind == .cardDeclined)
                world.platform.advance(by: .seconds(86_400))
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCardOfAnotherCustomerIsRefused(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let other = try await world.provider.made(
                .createCustomer(user: ProviderWorld.instructor), "customer-2")
            let card = try await world.provider.made(
                .attachPaymentMethod(id: "pm_card_visa", customer: other.id), "attach-1")
            #expect(try await world.provider.refusal(world.authorization(card.id), "auth-1")?.kind == .other)
            let take = PaymentRequest.attachPaymentMethod(id: card.id, customer: world.customer)
            #expect(try await world.provider.refusal(take, "attach-2")?.kind == .other)
        }
    }
}
