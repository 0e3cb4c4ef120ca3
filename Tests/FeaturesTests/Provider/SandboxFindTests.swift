import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What became of a call whose answer was lost.
@Suite struct SandboxFindTests {
    @Test(arguments: TestDatabase.available)
    func everyCallIsFoundOnceItWasTakenAndNotBefore(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let provider = world.provider
            let paid = try await world.paid(key: "paid-1")
            let (held, kept) = (try await world.authorize(key: "a1"), try await world.authorize(key: "a2"))
            let sent = try await provider.made(world.transfer(900), "t0")
            let card = try await provider.made(
                .attachPaymentMethod(id: "pm_card_visa", customer: world.customer), "p0")
            let loose = try await world.ask(
                StripeCall(.post, "payment_methods", ["type": "card", "card[number]": "4242424242424242"]))
            let looseID = try #require(loose.body["id"]?.stringValue)
            let requests: [(PaymentRequest, String)] = [
                (.createCustomer(user: ProviderWorld.booking), "customer"),
                (.createSetupIntent(customer: world.customer), "setup"),
                (.attachPaymentMethod(id: looseID, customer: world.customer), "attach"),
                (.detachPaymentMethod(id: card.id), "detach"),
                (world.authorization(), "authorize"),
                (.capture(intent: held.id), "capture"),
                (.cancel(intent: kept.id), "cancel"),
                (world.refund(paid.id, 100), "refund"),
                (world.transfer(500), "transfer"),
                (
                    .transfer(.init(amount: 500, destination: world.account, group: nil)),
                    "transfer without a group"
                ),
                (.reverse(transfer: sent.id, amount: 10), "reverse"),
                (.createAccount(instructor: ProviderWorld.booking), "account"),
                (.weeklyPayouts(account: world.account, anchor: "tuesday"), "weekly"),
                (.instantPayout(account: world.account, amount: 100), "payout"),
                (.createIdentitySession(user: ProviderWorld.user, returnURL: nil), "identity"),
            ]
            for (request, key) in requests {
                #expect(try await provider.found(request, key) == nil, "\(key) before it was sent")
                let made = try await provider.made(request, key)
                let found = try await provider.found(request, key)
                #expect(found?.id == made.id && found?.status == made.status, "\(key)")
                // Not for whoever asks for something else.
                guard made.metadata["operation_key"] == key else { continue }
                #expect(try await provider.found(request, key + "-other") == nil, "\(key) by another key")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatIsFoundMayBeOnALaterPage(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let paid = try await world.paid()
            for number in 0..<105 {
                _ = try await world.provider.made(world.refund(paid.id, 10), "r\(number)")
            }
            #expect(try await world.provider.found(world.refund(paid.id, 10), "r0")?.amount == 10)
            #expect(try await world.provider.found(world.refund(paid.id, 10), "r105") == nil)
        }
    }
}
