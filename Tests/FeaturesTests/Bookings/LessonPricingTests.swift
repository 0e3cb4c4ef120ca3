import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What people are told of a lesson's price.
@Suite struct LessonPricingTests {
    @Test(arguments: TestDatabase.available)
    func aPreviewIsTheExampleOfTheSpecification(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            let arguments: JSONObject = [
                "instructor_id": .string(world.teacher.user.description),
                "instructor_service_id": .string(world.service.description), "selected_duration": 60,
            ]
            func preview(_ more: JSONObject = [:]) async throws -> JSONValue {
                try await platform.call("pricing_preview", arguments.merging(more), as: world.student)
            }
            // $100 an hour, 15 percent.
            let expected: JSONObject = [
                "base_price_cents": 10_000, "student_fee_cents": 1_200, "student_pay_cents": 11_200,
                "instructor_platform_fee_cents": 1_500, "target_instructor_payout_cents": 8_500,
                "application_fee_cents": 2_700, "top_up_transfer_cents": 0, "credit_applied_cents": 0,
                "instructor_tier_pct": 0.15,
            ]
            let plain = try await preview()
            for (name, value) in expected { #expect(plain[name] == value, "\(name)") }
            #expect(plain["line_items"]?.arrayValue?.count == 2)
            // Credits are for the lesson, and no more than there are.
            let (id, now) = (platform.newID(), platform.now)
            try await platform.execute(
                """
                INSERT INTO platform_credits (id, user_id, amount_cents, reason, source_type, status, created_at)
                VALUES (\(id), \(world.studentID), 4000, 'x', 'legacy', 'available', \(now))
                """)
            for (asked, applied) in [(nil, 4_000), (1_000, 1_000), (9_000, 4_000)] as [(Int?, Int)] {
                let answer = try await preview(asked.map { ["applied_credit_cents": .int($0)] } ?? [:])
                #expect(answer["credit_applied_cents"]?.intValue == applied)
                #expect(answer["student_pay_cents"]?.intValue == 11_200 - applied)
                #expect(answer["line_items"]?[2]?["amount_cents"]?.intValue == -applied)
            }
            try await world.change("users", "credit_balance_frozen = TRUE")
            #expect(try await preview()["credit_applied_cents"]?.intValue == 0)
            try await world.change("instructor_services", "hourly_rate_cents = 5000")
            let failure = try await platform.failure("pricing_preview", arguments, as: world.student)
            #expect(failure?.reason == "PRICE_BELOW_FLOOR")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aBookingsPriceIsTheOneThatWasFixed(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let world = try await LessonWorld.make(platform)
            try await world.connect()
            let id = try await world.book()
            func pay() async throws -> Int? {
                try await platform.call(
                    "booking_pricing", ["id": .string(id.description)], as: world.student)[
                        "student_pay_cents"]?
                    .intValue
            }
            #expect(try await pay() == 11_200)
            platform.clock.set(try world.moment("00:00"))
            try await world.confirm(id, "pm_card_visa")
            try await platform.drainJobs()
            // Another fee from now on.
            let admin = try await platform.person(.admin)
            _ = try await platform.call("pricing_config_update", ["student_fee_pct": 0.2], as: admin)
            #expect(try await pay() == 11_200)
        }
    }
}
