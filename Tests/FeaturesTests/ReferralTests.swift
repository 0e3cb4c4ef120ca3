import Features
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@Suite struct ReferralTests {
    typealias Claim = ReferralAttribution.Claim

    static func code(_ platform: TestPlatform, of user: ULID) async throws -> ReferralCode {
        try await platform.act { tx, context in try ReferralCode.ensure(of: user, tx, context) }
    }

    static func claim(
        _ platform: TestPlatform, _ code: String, by user: ULID? = nil, ip: String? = nil,
        device: String? = nil
    ) async throws -> Claim {
        let fresh = try await platform.newUser()
        let user = user ?? fresh
        return try await platform.act { tx, context in
            try ReferralAttribution.claim(
                code, by: user, Fingerprint(ip: ip, device: device), source: "link", tx, context)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPersonHasOneActiveCode(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let user = try await platform.newUser()
            let codes = try await withThrowingTaskGroup(of: String.self) { group in
                for _ in 0..<8 { group.addTask { try await Self.code(platform, of: user).code } }
                return try await group.reduce(into: Set<String>()) { $0.insert($1) }
            }
            #expect(codes.count == 1)
            #expect(try await platform.count("referral_codes") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSlugNamesOneCode(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (mine, other) = (
                try await Self.code(platform, of: platform.newUser()),
                try await Self.code(platform, of: platform.newUser())
            )
            try await platform.act { tx, context in try mine.name("Ada-Teaches", tx, context) }
            let found = try await platform.database.read { try ReferralCode.find("ada-teaches", $0) }
            #expect(found?.id == mine.id)
            let taken = try await platform.refusal { try other.name("ada-teaches", $0, $1) }
            #expect(taken?.reason == "slug_taken")
            for slug in ["ab", "a--b", "-ab", "a b", "ä-ä", String(repeating: "a", count: 41)] {
                let failure = try await platform.refusal { try other.name(slug, $0, $1) }
                #expect(failure?.code == .invalidInput, "\(slug)")
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aSlugIsNobodysCode(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (mine, other) = (
                try await Self.code(platform, of: platform.newUser()),
                try await Self.code(platform, of: platform.newUser())
            )
            let dashed = other.code.lowercased().prefix(4) + "-" + other.code.lowercased().dropFirst(4)
            for slug in [other.code, String(dashed)] {
                let failure = try await platform.refusal { try mine.name(slug, $0, $1) }
                #expect(failure?.reason == "slug_taken", "\(slug)")
            }
            // Names from before, and a code that was drawn later.
            try await platform.execute(
                """
                UPDATE referral_codes SET vanity_slug = \(other.code.lowercased()) WHERE id = \(mine.id)
                """,
                """
                UPDATE referral_codes SET vanity_slug = \(mine.code.lowercased()) WHERE id = \(other.id)
                """)
            for code in [mine, other] {
                let found = try await platform.database.read { try ReferralCode.find(code.code, $0) }
                #expect(found?.id == code.id)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func everybodyIsBroughtOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let code = try await Self.code(platform, of: platform.newUser())
            let user = try await platform.newUser()
            let claims = try await withThrowingTaskGroup(of: Claim.self) { group in
                for _ in 0..<6 { group.addTask { try await Self.claim(platform, code.code, by: user) } }
                return try await group.reduce(into: [Claim]()) { $0.append($1) }
            }
            #expect(claims.count { $0 == .attributed } == 1)
            #expect(claims.count { $0 == .alreadyAttributed } == 5)
            #expect(try await Self.claim(platform, "ZZZZZZZZ") == .unknownCode)
        }
    }

    @Test(arguments: TestDatabase.available)
    func nobodyBringsThemselves(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let referrer = try await platform.newUser()
            let code = try await Self.code(platform, of: referrer).code
            try await platform.act { tx, context in
                try Fingerprint(ip: "192.0.2.7", device: "phone").note(referrer, tx, context)
            }
            #expect(try await Self.claim(platform, code, by: referrer) == .selfReferral)
            #expect(try await Self.claim(platform, code, ip: "192.0.2.7") == .selfReferral)
            #expect(try await Self.claim(platform, code, ip: "192.0.2.8", device: "phone") == .selfReferral)
            #expect(try await platform.count("referral_attributions") == 0)
            #expect(try await Self.claim(platform, code, ip: "192.0.2.8", device: "tablet") == .attributed)
            let stored = try await platform.rows("SELECT hash FROM referral_fingerprints")
            #expect(!stored.isEmpty && !stored.contains { $0.contains("192.0.2") })
        }
    }

    @Test(arguments: TestDatabase.available)
    func tooManyInADayOrAWeekAreRefused(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let code = try await Self.code(platform, of: platform.newUser()).code
            for _ in 0..<3 {
                for _ in 0..<5 { #expect(try await Self.claim(platform, code) == .attributed) }
                #expect(try await Self.claim(platform, code) == .velocity)
                platform.advance(by: .seconds(86_400))
            }
            #expect(try await Self.claim(platform, code) == .velocity, "fifteen in this week")
            platform.advance(by: .seconds(4 * 86_400))
            #expect(try await Self.claim(platform, code) == .attributed)
        }
    }

    /// A referrer and a student whom they brought.
    static func pair(_ platform: TestPlatform) async throws -> (referrer: ULID, referred: ULID) {
        let (referrer, referred) = (try await platform.newUser(), try await platform.newUser())
        let code = try await code(platform, of: referrer)
        #expect(try await claim(platform, code.code, by: referred) == .attributed)
        return (referrer, referred)
    }

    static func earn(_ platform: TestPlatform, _ student: ULID, booking: ULID? = nil, cents: Int = 8_000)
        async throws -> ULID?
    {
        let booking = booking ?? platform.newID()
        return try await platform.act { tx, context in
            try ReferralReward.firstLessonCompleted(
                student: student, booking: booking, basketCents: cents, tx, context)
        }
    }

    static func unlock(_ platform: TestPlatform) async throws {
        try await platform.act { tx, _ in _ = try tx.enqueue(RunUnlocker()) }
        try await platform.drainJobs()
    }

    static func states(_ platform: TestPlatform, _ referrer: ULID) async throws -> [String] {
        try await platform.database.read { db in
            try ReferralReward.list(of: referrer, limit: 50, db).map {
                "\($0.status.rawValue)\($0.voidReason.map { " \($0)" } ?? "")"
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRewardIsHeldThenUnlockedThenRedeemedOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (referrer, student) = try await Self.pair(platform)
            #expect(try await Self.earn(platform, student, cents: 7_999) == nil, "the order is too small")
            #expect(try await Self.earn(platform, student) != nil)
            #expect(try await Self.earn(platform, student) == nil, "one for each student")
            let redeem: @Sendable (String) async throws -> Int? = { order in
                try await platform.act { tx, context in
                    try ReferralReward.redeem(order: order, by: referrer, tx, context)
                }
            }
            platform.advance(by: .seconds(7 * 86_400 - 1))
            try await Self.unlock(platform)
            #expect(try await Self.states(platform, referrer) == ["pending"])
            #expect(try await redeem("o1") == nil)
            platform.advance(by: .seconds(1))
            try await Self.unlock(platform)
            #expect(try await Self.states(platform, referrer) == ["unlocked"])
            let amounts = try await withThrowingTaskGroup(of: Int?.self) { group in
                for order in ["o1", "o1", "o2", "o3"] { group.addTask { try await redeem(order) } }
                return try await group.reduce(into: [Int?]()) { $0.append($1) }
            }
            #expect(try await Self.states(platform, referrer) == ["redeemed"])
            #expect(try await platform.count("wallet_transactions") == 1)
            #expect([1, 2].contains(amounts.count { $0 == 2_000 }), "o1 twice, or one of the others")
            try await platform.act { tx, context in
                let booking = try tx.value("SELECT booking_id FROM referral_rewards", as: ULID.self)
                try ReferralReward.refunded(booking: try #require(booking), tx, context)
            }
            #expect(try await Self.states(platform, referrer) == ["redeemed"], "what is used stays used")
        }
    }

    @Test(arguments: TestDatabase.available)
    func onlyAStudentsFirstLessonEarns(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (_, student) = try await Self.pair(platform)
            let instructor = try await platform.newUser()
            _ = try await platform.givenBooking(student: student, instructor: instructor, .cancelled)
            let first = try await platform.givenBooking(student: student, instructor: instructor)
            let second = try await platform.givenBooking(student: student, instructor: instructor)
            #expect(try await Self.earn(platform, student, booking: second) == nil)
            try await platform.execute("UPDATE bookings SET status = 'NO_SHOW' WHERE id = \(first)")
            #expect(try await Self.earn(platform, student, booking: second) != nil)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRewardIsVoidWhenPaidBackOrForgotten(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (first, student) = try await Self.pair(platform)
            let booking = platform.newID()
            _ = try await Self.earn(platform, student, booking: booking)
            try await platform.act { tx, context in
                try ReferralReward.refunded(booking: booking, tx, context)
            }
            #expect(try await Self.states(platform, first) == ["void refund"])
            let (second, other) = try await Self.pair(platform)
            _ = try await Self.earn(platform, other)
            platform.advance(by: .seconds(7 * 86_400))
            try await Self.unlock(platform)
            platform.advance(by: .seconds(180 * 86_400))
            try await Self.unlock(platform)
            #expect(try await Self.states(platform, second) == ["void expired"])
            #expect(try await platform.audited("referral.reward_void") == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func onePersonEarnsForTwentyStudents(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let referrer = try await platform.newUser()
            let code = try await Self.code(platform, of: referrer).code
            for number in 1...21 {
                let student = try await platform.newUser()
                #expect(try await Self.claim(platform, code, by: student) == .attributed)
                _ = try await Self.earn(platform, student)
                if number % 2 == 0 { platform.advance(by: .seconds(86_401)) }
            }
            let states = try await Self.states(platform, referrer)
            #expect(states.count { $0 == "pending" } == 20)
            #expect(states.first == "void cap")
        }
    }

    @Test func theUnlockerRunsEveryQuarterOfAnHour() {
        #expect(RunUnlocker.schedules(Configuration()).map(\.name) == ["referrals-unlock-every-15m"])
        #expect(RunUnlocker.queue == .standard && RunUnlocker.priority == 5)
    }
}
