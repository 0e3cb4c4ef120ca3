import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What instructors and students see of their money: sums of the ledger.
@Suite struct EarningsTests {
    private static let hour = PaymentWorld.hour

    @Test(arguments: TestDatabase.available)
    func earningsAreSumsOfTheLedger(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let first = try await world.settledLesson()
            let second = try await world.settledLesson()
            let intent = try #require(try await world.payment(second).intentID)
            try await world.carryOut(
                second, .adminRefund, [.init(.refund, "admin_refund_\(second)_5600", cents: 5_600)])
            _ = intent
            let answer = try await world.platform.call("earnings_show", as: world.teacher.actor)
            let summary = answer["summary"]
            #expect(summary?["lesson_price_cents"] == 20_000)
            #expect(summary?["commission_cents"] == 3_000)
            // Half of the second lesson went back: 42.50 of the instructor's.
            #expect(summary?["earned_cents"] == 12_750 && summary?["earned"] == 127.5)
            #expect(summary?["paid_out_cents"] == 12_750 && summary?["pending_cents"] == 0)
            let lessons = answer["lessons"]?.arrayValue ?? []
            #expect(lessons.map { $0["booking_id"]?.stringValue } == [second.description, first.description])
            #expect(lessons.map { $0["earned_cents"]?.intValue } == [4_250, 8_500])
            let page = try await world.platform.call(
                "earnings_show", ["limit": 1], as: world.teacher.actor)
            #expect(page["lessons"]?.arrayValue?.count == 1)
            let rest = try await world.platform.call(
                "earnings_show", ["limit": 1, "cursor": page["next_cursor"] ?? .null],
                as: world.teacher.actor)
            #expect(rest["lessons"]?[0]?["booking_id"]?.stringValue == first.description)
            #expect(rest["next_cursor"] == .null)
            let day = CalendarDay.utc(world.platform.now).adding(days: 1).description
            let later = try await world.platform.call(
                "earnings_show", ["start_date": .string(day)], as: world.teacher.actor)
            #expect(later["summary"]?["earned_cents"] == 0 && later["lessons"]?.arrayValue?.isEmpty == true)
            #expect(
                try await world.platform.failure(
                    "earnings_show", ["start_date": "2026-02-02", "end_date": "2026-02-01"],
                    as: world.teacher.actor)?.fields.map(\.name) == ["end_date"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func nobodySeesWhatOthersEarnedOrPaid(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            _ = try await world.settledLesson()
            let other = try await world.platform.teacher()
            let answer = try await world.platform.call("earnings_show", as: other.actor)
            #expect(answer["summary"]?["earned_cents"] == 0)
            #expect(answer["lessons"]?.arrayValue?.isEmpty == true)
            let stranger = try await world.platform.person(.student)
            let paid = try await world.platform.call("transaction_list", as: stranger)
            #expect(paid["transactions"]?.arrayValue?.isEmpty == true)
            #expect(try await world.platform.failure("earnings_show", as: world.student)?.code == .forbidden)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anExportIsATableThatNoSpreadsheetRuns(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.settledLesson()
            try await world.platform.execute(
                "UPDATE bookings SET service_name = '=HYPERLINK(\"x\"), \"Guitar\"' WHERE id = \(id)")
            let answer = try await world.platform.call("earnings_export", as: world.teacher.actor)
            let lines = (answer["content"]?.stringValue ?? "").split(
                separator: "\r\n", omittingEmptySubsequences: false)
            #expect(lines.count == 3 && lines.last == "")
            #expect(lines[0].hasPrefix("booking_id,lesson_start_utc,service,student"))
            #expect(lines[1].contains("\"'=HYPERLINK(\"\"x\"\"), \"\"Guitar\"\"\""))
            #expect(lines[1].hasSuffix("60,COMPLETED,100.00,15.00,85.00,85.00"))
            #expect(answer["count"] == 1 && answer["is_cut"] == false)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aStudentSeesWhatWasPaidAndWhatCameBack(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let id = try await world.settledLesson()
            try await world.carryOut(
                id, .adminRefund, [.init(.refund, "admin_refund_\(id)_1000", cents: 1_000)])
            let answer = try await world.platform.call("transaction_list", as: world.student)
            let row = answer["transactions"]?[0]
            #expect(row?["booking_id"]?.stringValue == id.description)
            #expect(row?["charged_cents"] == 11_200 && row?["charged"] == 112.0)
            #expect(row?["student_fee_cents"] == 1_200 && row?["lesson_price_cents"] == 10_000)
            #expect(row?["refunded_cents"] == 1_000)
        }
    }

    @Test(arguments: TestDatabase.available)
    func creditsAreWhatTheLedgerOwesTheStudent(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            let lesson = try await world.authorizedLesson()
            let start = try await world.booking(lesson).start
            world.platform.advance(by: start - world.platform.now - Self.hour * 20)
            try await world.platform.act { tx, context in
                var booking = try #require(try Booking.lock(lesson, tx))
                try booking.cancel(by: .student, user: world.studentID, reason: "ill", tx, context)
            }
            try await world.platform.drainJobs()
            var answer = try await world.platform.call("credit_list", as: world.student)
            #expect(answer["available_cents"] == 10_000 && answer["reserved_cents"] == 0)
            #expect(answer["credits"]?[0]?["source"] == "cancel_credit_12_24")
            let owed = try await world.platform.database.read {
                try Ledger.trialBalance($0)[.creditsLiability]
            }
            #expect(owed == -10_000)
            // A lesson sets some aside; the rest is a credit of its own.
            try await world.platform.execute("UPDATE platform_credits SET amount_cents = 12000")
            _ = try await world.authorizedLesson()
            answer = try await world.platform.call("credit_list", as: world.student)
            #expect(answer["available_cents"] == 2_000 && answer["reserved_cents"] == 10_000)
            try await world.platform.execute("UPDATE users SET credit_balance_frozen = TRUE")
            answer = try await world.platform.call("credit_list", as: world.student)
            #expect(answer["available_cents"] == 0 && answer["is_frozen"] == true)
        }
    }

    @Test(arguments: TestDatabase.available)
    func listsTakeTheSameStatementsHoweverMuchThereIs(dialect: Dialect) async throws {
        try await PaymentWorld.with(dialect) { world in
            var counts: [[Int]] = []
            for size in [1, 3] {
                for _ in 0..<size { _ = try await world.settledLesson() }
                var statements: [Int] = []
                for (name, actor) in [
                    ("earnings_show", world.teacher.actor), ("earnings_export", world.teacher.actor),
                    ("payout_list", world.teacher.actor), ("transaction_list", world.student),
                    ("credit_list", world.student), ("payment_method_list", world.student),
                ] {
                    await world.platform.recorder.flush()
                    _ = world.platform.database.takeStatementCount()
                    _ = try await world.platform.call(name, as: actor)
                    statements.append(world.platform.database.takeStatementCount())
                }
                counts.append(statements)
            }
            #expect(counts[0] == counts[1], "\(counts)")
        }
    }
}
