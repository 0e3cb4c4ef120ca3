import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Keys, parameters and lists of the built-in Stripe.
@Suite struct SandboxCallTests {
    private static func payment(_ world: ProviderWorld, amount: String = "5000", key: String? = nil)
        -> StripeCall
    {
        StripeCall(
            .post, "payment_intents",
            [
                "amount": amount, "currency": "usd", "customer": world.customer,
                "payment_method": "pm_card_visa", "confirm": "true", "capture_method": "manual",
            ], key: key)
    }

    private static func code(_ answer: StripeAnswer) -> String {
        let error = answer.body["error"]
        return "\(answer.status) \(error?["type"]?.stringValue ?? "-") \(error?["code"]?.stringValue ?? "-")"
    }

    private static func payments(_ world: ProviderWorld) async throws -> Int {
        try await world.platform.count("stripe_sandbox_objects", where: "kind = 'payment_intent'")
    }

    @Test(arguments: TestDatabase.available)
    func aKeyAnswersAsItDidTheFirstTime(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let first = try await world.ask(Self.payment(world, key: "k1"))
            world.platform.advance(by: .seconds(60))
            let again = try await world.ask(Self.payment(world, key: "k1"))
            #expect(first.status == 200 && again.status == 200)
            #expect(!first.isReplayed && again.isReplayed && first.body == again.body)
            let other = try await world.ask(Self.payment(world, amount: "5001", key: "k1"))
            #expect(Self.code(other) == "400 idempotency_error -")
            // Two accounts may use the same key.
            var elsewhere = StripeCall(.post, "customers", key: "k1", account: world.account)
            #expect(try await world.ask(elsewhere).status == 200)
            elsewhere.path = "payouts"
            #expect(Self.code(try await world.ask(elsewhere)) == "400 idempotency_error -")
            #expect(try await Self.payments(world) == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRefusalIsRepeatedToo(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            var call = Self.payment(world, key: "k1")
            call.form["payment_method"] = "pm_card_chargeDeclined"
            let first = try await world.ask(call)
            let again = try await world.ask(call)
            #expect(Self.code(first) == "402 card_error card_declined")
            #expect(again.isReplayed && first.body == again.body)
            #expect(try await Self.payments(world) == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatWasNotUnderstoodLeavesTheKeyFree(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let wrong = try await world.ask(Self.payment(world, amount: "none", key: "k1"))
            #expect(Self.code(wrong) == "400 invalid_request_error parameter_invalid_integer")
            #expect(try await world.ask(Self.payment(world, key: "k1")).status == 200)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aHundredCallsWithOneKeyAtOnceHappenOnce(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            let call = Self.payment(world, key: "k1")
            let answers = try await withThrowingTaskGroup(of: StripeAnswer.self) { group in
                for _ in 0..<100 { group.addTask { try await world.ask(call) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let (done, inUse) = (answers.filter { $0.status == 200 }, answers.filter { $0.status == 409 })
            #expect(done.count + inUse.count == 100)
            #expect(Set(done.compactMap { $0.body["id"]?.stringValue }).count == 1)
            #expect(done.count { !$0.isReplayed } == 1)
            #expect(inUse.allSatisfy { Self.code($0) == "409 idempotency_error idempotency_key_in_use" })
            #expect(try await Self.payments(world) == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatStripeWouldNotUnderstandIsRefused(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            func refused(_ path: String, _ change: [(String, String?)] = []) async throws -> String {
                var call = Self.payment(world)
                if path != "payment_intents" { call = StripeCall(.post, path) }
                for (name, value) in change { call.form[name] = value }
                let answer = try await world.ask(call)
                return "\(Self.code(answer)) \(answer.body["error"]?["param"]?.stringValue ?? "-")"
            }
            let invalid = "400 invalid_request_error"
            for (change, expected) in [
                (("amout", "1"), "\(invalid) parameter_unknown amout"),
                (("transfer_data[what]", "1"), "\(invalid) parameter_unknown transfer_data[what]"),
                (("amount", "0"), "\(invalid) parameter_invalid_integer amount"),
                (("amount", "-5"), "\(invalid) parameter_invalid_integer amount"),
                (("amount", "1.5"), "\(invalid) parameter_invalid_integer amount"),
                (("amount", "49"), "\(invalid) amount_too_small amount"),
                (("amount", nil), "\(invalid) parameter_missing amount"),
                (("currency", "eur"), "\(invalid) - currency"),
                (("customer", "cus_none"), "\(invalid) resource_missing customer"),
                (("payment_method", "pm_none"), "\(invalid) resource_missing payment_method"),
                (
                    ("transfer_data[destination]", "acct_none"),
                    "\(invalid) resource_missing transfer_data[destination]"
                ),
                (("capture_method", "later"), "\(invalid) - capture_method"),
                (("confirm", "yes"), "\(invalid) parameter_invalid_boolean confirm"),
                (("expand[]", "nothing"), "\(invalid) - expand"),
            ] as [((String, String?), String)] {
                let found = try await refused("payment_intents", [change])
                #expect(found == expected, "\(change)")
            }
            let much = try await refused(
                "payment_intents",
                [("transfer_data[destination]", world.account), ("transfer_data[amount]", "5001")])
            #expect(much == "\(invalid) - transfer_data[amount]")
            for (path, expected) in [
                ("nothing", "404 invalid_request_error - -"),
                ("payment_intents/pi_1/explode", "404 invalid_request_error - -"),
                ("payment_intents/pi_1/capture", "404 invalid_request_error resource_missing id"),
            ] {
                let found = try await refused(path)
                #expect(found == expected)
            }
            #expect(try await Self.payments(world) == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func listsGoFromTheNewestPageByPage(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            var made: [String] = []
            for number in 0..<7 {
                made.append(try await world.authorize(key: "auth-\(number)").id)
                world.platform.advance(by: .seconds(10))
            }
            func list(_ page: PaymentPage) async throws -> PaymentList {
                guard case .done(let list) = try await world.provider.list(.paymentIntent, page) else {
                    throw Failure(.internal, "no list")
                }
                return list
            }
            let first = try await list(PaymentPage(limit: 4, parent: world.customer))
            #expect(first.objects.map(\.id) == made.suffix(4).reversed() && first.hasMore)
            let second = try await list(PaymentPage(after: first.objects.last?.id, limit: 4))
            #expect(second.objects.map(\.id) == made.prefix(3).reversed() && !second.hasMore)
            // From the second that is meant, up to the one that is not.
            let start = TestClock.start
            let some = try await list(PaymentPage(since: start + .seconds(10), until: start + .seconds(30)))
            #expect(some.objects.map(\.id) == made[1...2].reversed())
            #expect(try await list(PaymentPage(parent: "cus_other")).objects.isEmpty)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aLargeNumberOfPaymentsIsSoonAuthorized(dialect: Dialect) async throws {
        try await ProviderWorld.with(dialect) { world in
            // Statements and not time: nothing that is looked up grows with what there is.
            for number in 0..<5 { _ = try await world.authorize(key: "auth-\(number)") }
            _ = world.platform.database.takeStatementCount()
            _ = try await world.authorize(key: "auth-last")
            #expect(world.platform.database.takeStatementCount() <= 12)
        }
    }
}
