import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// A payment at the built-in Stripe from its authorization to its end.
@Suite struct SandboxLifeTests {
    @Test(arguments: TestDatabase.available)
    func aCaptureChargesTheStudentAndPaysTheInstructor(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let held = try await world.authorize()
            #expect(held.status == "requires_capture" && held.amount == 11_200 && held.amountReceived == 0)
            #expect(held.customer == world.customer && held.destination == world.account)
            #expect(held.metadata["operation_key"] == "auth-1")
            #expect(held.metadata["booking_id"] == ProviderWorld.booking.description)
            #expect(held.metadata["base_price_cents"] == "10000")
            #expect(held.transfer == nil)

            let paid = try await world.provider.made(.capture(intent: held.id), "capture-1")
            #expect(paid.status == "succeeded" && paid.amountReceived == 11_200 && paid.amountReturned == 0)
            #expect(paid.charge == held.charge)
            // The capture leaves the authorization's key alone: it is found by it.
            #expect(paid.metadata["operation_key"] == "auth-1")
            let transfer = try await world.provider.now(.transfer, try #require(paid.transfer))
            #expect(transfer.amount == 8_500 && transfer.destination == world.account)
            #expect(transfer.charge == paid.charge && transfer.amountReturned == 0)
            #expect(transfer.parent == "booking:\(ProviderWorld.booking)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCaptureHappensOnceAndACanceledPaymentIsNotCaptured(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let paid = try await world.paid()
            let again = try await world.provider.refusal(.capture(intent: paid.id), "capture-2")
            #expect(again?.kind == .alreadyCaptured)
            let late = try await world.provider.refusal(.cancel(intent: paid.id), "cancel-1")
            #expect(late?.kind == .alreadyCaptured)

            let other = try await world.authorize(key: "auth-2")
            let canceled = try await world.provider.made(.cancel(intent: other.id), "cancel-2")
            #expect(canceled.status == "canceled" && canceled.amountReceived == 0)
            let capture = try await world.provider.refusal(.capture(intent: other.id), "capture-3")
            #expect(capture?.kind == .canceled)
            #expect(try await world.platform.count("stripe_sandbox_objects", where: "kind = 'transfer'") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAuthorizationRunsOutAfterSevenDaysWhoeverLooks(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let captured = try await world.authorize(key: "auth-1")
            let looked = try await world.authorize(key: "auth-2")
            world.platform.advance(by: .seconds(7 * 86_400 - 1))
            #expect(try await world.provider.now(.paymentIntent, looked.id).status == "requires_capture")
            world.platform.advance(by: .seconds(1))
            let late = try await world.provider.refusal(.capture(intent: captured.id), "capture-1")
            #expect(late?.kind == .canceled)
            #expect(try await world.provider.now(.paymentIntent, looked.id).status == "canceled")
            let types = try await world.eventTypes()
            #expect(types.count { $0 == "charge.expired" } == 2)
            #expect(types.count { $0 == "payment_intent.canceled" } == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func partialRefundsTakeTheTransferBackInProportion(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let paid = try await world.paid()
            let transfer = try #require(paid.transfer)
            func reversed() async throws -> Int? {
                try await world.provider.now(.transfer, transfer).amountReturned
            }
            let first = try await world.provider.made(world.refund(paid.id, 3_333), "refund-1")
            #expect(first.parent == paid.id && first.amount == 3_333 && first.status == "succeeded")
            // 8,500 × 3,333 / 11,200 = 2,529.5 cents.
            #expect(try await reversed() == 2_530)
            _ = try await world.provider.made(world.refund(paid.id, 1, reverses: false), "refund-2")
            #expect(try await reversed() == 2_530)
            let more = try await world.provider.refusal(world.refund(paid.id, 7_867), "refund-3")
            #expect(more?.kind == .other)
            _ = try await world.provider.made(world.refund(paid.id, 7_866), "refund-4")
            #expect(try await reversed() == 8_500)
            let none = try await world.provider.refusal(world.refund(paid.id, 1), "refund-5")
            #expect(none?.kind == .alreadyRefunded)
            #expect(try await world.provider.now(.paymentIntent, paid.id).amountReturned == 11_200)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWholeRefundTakesTheWholeTransferBack(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let paid = try await world.paid()
            _ = try await world.provider.made(world.refund(paid.id, 1_001), "refund-1")
            _ = try await world.provider.made(world.refund(paid.id, 10_199), "refund-2")
            let transfer = try await world.provider.now(.transfer, try #require(paid.transfer))
            #expect(transfer.amountReturned == 8_500)
        }
    }

    @Test(arguments: TestDatabase.available)
    func nothingIsRefundedThatWasNotCaptured(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let held = try await world.authorize()
            #expect(try await world.provider.refusal(world.refund(held.id, 100), "refund-1")?.kind == .other)
            let unknown = try await world.provider.refusal(world.refund("pi_none", 100), "refund-2")
            #expect(unknown?.kind == .notFound)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTransferIsTakenBackNoFurtherThanItWent(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let sent = try await world.provider.made(world.transfer(4_250), "transfer-1")
            #expect(sent.destination == world.account && sent.metadata["why"] == "split")
            let part = try await world.provider.made(.reverse(transfer: sent.id, amount: 1_000), "reverse-1")
            #expect(part.parent == sent.id && part.amount == 1_000)
            let much = try await world.provider.refusal(
                .reverse(transfer: sent.id, amount: 3_251), "reverse-2")
            #expect(much?.kind == .other)
            let rest = try await world.provider.made(.reverse(transfer: sent.id, amount: nil), "reverse-3")
            #expect(rest.amount == 3_250)
            let again = try await world.provider.refusal(
                .reverse(transfer: sent.id, amount: nil), "reverse-4")
            #expect(again?.kind == .alreadyReversed)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHundredRefundsAtOnceReturnNoMoreThanWasPaid(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let paid = try await world.paid()
            let made = try await withThrowingTaskGroup(of: Bool.self) { group in
                for number in 0..<100 {
                    group.addTask {
                        try await world.provider.refusal(world.refund(paid.id, 1_000), "refund-\(number)")
                            == nil
                    }
                }
                return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
            }
            #expect(made == 11)
            let payment = try await world.provider.now(.paymentIntent, paid.id)
            #expect(payment.amountReturned == 11_000)
            let transfer = try await world.provider.now(.transfer, try #require(paid.transfer))
            #expect(transfer.amountReturned == 8_348)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTransferNeedsMoneyAndAnAccountThatMayReceiveIt(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let fresh = try await world.provider.made(
                .createAccount(instructor: ProviderWorld.user), "account-2")
            #expect(fresh.status == "restricted")
            let early = PaymentRequest.transfer(.init(amount: 100, destination: fresh.id, group: nil))
            #expect(try await world.provider.refusal(early, "transfer-1")?.kind == .accountNotReady)
            try await world.sandbox.setBalance(isEmpty: true)
            let poor = try await world.provider.refusal(world.transfer(100), "transfer-2")
            #expect(poor?.kind == .insufficientBalance)
            try await world.sandbox.setBalance(isEmpty: false)
            _ = try await world.provider.made(world.transfer(100), "transfer-3")
        }
    }

    @Test(arguments: TestDatabase.available)
    func anAccountOnboardsSchedulesItsPayoutsAndIsPaid(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let provider = world.provider
            #expect(try await provider.now(.account, world.account).status == "enabled")
            let link = try await provider.made(
                .accountLink(
                    account: world.account, refreshURL: "https://a.test/r", returnURL: "https://a.test/b?c=d"),
                "link-1")
            #expect(
                link.url == "http://127.0.0.1:8000/stripe-sandbox/visit/\(world.account)"
                    + "?return_url=https%3A%2F%2Fa.test%2Fb%3Fc%3Dd"
            )
            #expect(
                try await provider.made(.loginLink(account: world.account), "login-1").url?.isEmpty == false)
            _ = try await provider.made(.weeklyPayouts(account: world.account, anchor: "tuesday"), "weekly-1")
            let schedule = try await world.object("accounts/\(world.account)")["settings"]?["payouts"]?[
                "schedule"]
            #expect(schedule?["interval"] == "weekly" && schedule?["weekly_anchor"] == "tuesday")

            _ = try await world.paid()
            let payout = PaymentRequest.instantPayout(account: world.account, amount: 8_000)
            let made = try await provider.made(payout, "payout-1")
            #expect(made.status == "pending" && made.amount == 8_000)
            let more = try await provider.refusal(
                .instantPayout(account: world.account, amount: 501), "payout-2")
            #expect(more?.kind == .insufficientBalance)
            try await world.platform.finishJobs()
            let page = PaymentPage(account: world.account)
            guard case .done(let list) = try await provider.list(.payout, page) else {
                throw Failure(.internal, "")
            }
            #expect(list.objects.map(\.status) == ["paid"])
            // The bank may give back what it took.
            try await world.sandbox.settlePayout(made.id, of: world.account, failure: "account_closed")
            #expect(try await world.sandbox.payOut(world.account) != nil)
            let types = try await world.eventTypes()
            for type in ["account.updated", "payout.created", "payout.paid", "payout.failed"] {
                #expect(types.contains(type), "\(type)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInstructorShowsWhoTheyAre(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let request = PaymentRequest.createIdentitySession(
                user: ProviderWorld.user, returnURL: "https://a.test")
            let session = try await world.provider.made(request, "identity-1")
            #expect(session.status == "requires_input" && session.url != nil && session.clientSecret != nil)
            #expect(session.metadata["user_id"] == ProviderWorld.user.description)
            try await world.sandbox.verifyIdentity(session.id, error: "document_expired")
            #expect(try await world.provider.now(.identitySession, session.id).status == "requires_input")
            try await world.sandbox.verifyIdentity(session.id)
            #expect(try await world.provider.now(.identitySession, session.id).status == "verified")
            let types = try await world.eventTypes().filter { $0.hasPrefix("identity.") }
            #expect(
                types.map { $0.dropFirst("identity.verification_session.".count) } == [
                    "created", "processing", "requires_input", "processing", "verified",
                ])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aCardIsSetUpForLater(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let setup = try await world.provider.made(.createSetupIntent(customer: world.customer), "setup-1")
            #expect(setup.status == "requires_payment_method" && setup.clientSecret != nil)
            let method = try await world.sandbox.giveCard("pm_card_mastercard", to: setup.id)
            let card = try await world.provider.now(.paymentMethod, method)
            #expect(card.customer == world.customer && card.brand == "mastercard" && card.last4 == "4444")
            #expect(try await world.provider.now(.setupIntent, setup.id).status == "succeeded")
            #expect(try await world.authorize(method).status == "requires_capture")
            let gone = try await world.provider.made(.detachPaymentMethod(id: method), "detach-1")
            #expect(gone.customer == nil)
        }
    }
}
