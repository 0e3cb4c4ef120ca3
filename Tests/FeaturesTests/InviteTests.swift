import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import Synchronization
import TestSupport
import Testing

@Suite struct InviteTests {
    @Test func aCodeHasEightCharactersThatNobodyMistakes() {
        let seed = SeededGenerator.randomSeed()
        var generator = SeededGenerator(seed: seed)
        let codes = (0..<2_000).map { _ in InviteCode.random(using: &generator) }
        #expect(codes.allSatisfy { $0.count == 8 }, "seed \(seed)")
        let used = Set(codes.joined())
        #expect(used.isDisjoint(with: "0O1IL"), "seed \(seed)")
        #expect(used == Set(InviteCode.alphabet), "every character comes up; seed \(seed)")
        #expect(InviteCode.alphabet.count == 31)
        #expect(InviteCode.normalized(" abcd-efgh ") == "ABCDEFGH")
    }

    @Test(arguments: TestDatabase.available)
    func aCodeThatIsTakenIsDrawnAgain(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let draws = Mutex(["AAAAAAAA", "AAAAAAAA", "BBBBBBBB", "AAAAAAAA", "CCCCCCCC"][...])
            let codes = try await platform.act { tx, context in
                try Invite.create([NewInvite(), NewInvite(), NewInvite()], tx, context) {
                    draws.withLock { $0.removeFirst() }
                }.map(\.code)
            }
            #expect(Set(codes) == ["AAAAAAAA", "BBBBBBBB", "CCCCCCCC"])
            let failure = try await platform.refusal { tx, context in
                _ = try Invite.create([NewInvite()], tx, context) { "AAAAAAAA" }
            }
            #expect(failure?.code == .internal)
        }
    }

    static func make(_ platform: TestPlatform, _ new: NewInvite = NewInvite()) async throws -> Invite {
        try #require(try await platform.act { tx, context in try Invite.create([new], tx, context) }.first)
    }

    static func consume(_ platform: TestPlatform, _ code: String) async throws -> Failure? {
        let user = try await platform.newUser()
        return try await platform.refusal { tx, context in
            try Invite.consume(
                code: code, email: "jane@example.com", user: user, role: "instructor", tx, context)
        }
    }

    @Test(arguments: TestDatabase.available)
    func ofAHundredWhoUseOneCodeOneSucceeds(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let invite = try await Self.make(platform)
            let reasons = try await withThrowingTaskGroup(of: String?.self) { group in
                for _ in 0..<100 { group.addTask { try await Self.consume(platform, invite.code)?.reason } }
                return try await group.reduce(into: [String?]()) { $0.append($1) }
            }
            #expect(reasons.count { $0 == nil } == 1)
            #expect(reasons.count { $0 == "invite_used" } == 99)
            #expect(try await platform.count("beta_access") == 1)
            #expect(try await platform.count("beta_invites", where: "used_at IS NOT NULL") == 1)
            #expect(try await platform.audited("invite.consume") == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInviteEndsAtTheMomentItNames(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let invite = try await Self.make(platform, NewInvite(expiresInDays: 1))
            let check = {
                let now = platform.now
                return try await platform.database.read {
                    try Invite.refusal(code: invite.code, $0, now: now)
                }
            }
            platform.advance(by: .seconds(86_400) - .microseconds(1))
            #expect(try await check() == nil)
            #expect(invite.status(at: platform.now) == .pending)
            platform.advance(by: .microseconds(1))
            #expect(try await check() == .expired)
            #expect(invite.status(at: platform.now) == .expired)
            #expect(try await Self.consume(platform, invite.code)?.reason == "invite_expired")
            #expect(try await Self.consume(platform, "ZZZZZZZZ")?.reason == "invite_not_found")
            #expect(invite.history(at: platform.now).map(\.status) == [.pending, .expired])
            #expect(try await platform.count("beta_access") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInviteThatWasTakenBackIsAsIfItHadNeverBeen(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (used, revoked) = (try await Self.make(platform), try await Self.make(platform))
            #expect(try await Self.consume(platform, used.code) == nil)
            try await platform.act { tx, context in try revoked.revoke(tx, context) }
            #expect(try await Self.consume(platform, revoked.code)?.reason == "invite_not_found")
            let failure = try await platform.refusal { tx, context in try used.revoke(tx, context) }
            #expect(failure?.reason == "invite_not_pending")
            let now = platform.now
            let found = try await platform.database.read { db in
                [try Invite.find(used.id, db), try Invite.find(identifier: revoked.code, db)].map {
                    $0?.history(at: now).map(\.status)
                }
            }
            #expect(found == [[.pending, .accepted], [.pending, .revoked]])
        }
    }

    @Test(arguments: TestDatabase.available)
    func foundingPlacesThatArePromisedCount(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let promised = {
                let now = platform.now
                return try await platform.database.read { try Invite.outstandingFounding($0, now: now) }
            }
            let free = PricingConfig().foundingInstructorCap
            let invites = try await platform.act { tx, context in
                try Invite.create(Array(repeating: NewInvite(), count: free - 1), tx, context)
            }
            _ = try await Self.make(platform, NewInvite(grantsFounding: false))
            #expect(try await promised() == free - 1)
            let both = try await platform.refusal { tx, context in
                _ = try Invite.create([NewInvite(), NewInvite()], tx, context)
            }
            #expect(both?.code == .conflict && both?.reason == "founding_cap_exceeded")
            _ = try await Self.make(platform)
            #expect(try await platform.refusal { _ = try Invite.create([NewInvite()], $0, $1) } != nil)
            #expect(try await Self.consume(platform, invites[0].code) == nil)
            try await platform.act { tx, context in try invites[1].revoke(tx, context) }
            #expect(try await promised() == free - 2)
            platform.advance(by: .seconds(Invite.standardDays * 86_400))
            #expect(try await promised() == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whoPromisesAtTheSameTimeDoesNotPromiseTooMuch(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let refused = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<12 {
                    group.addTask {
                        let failure = try await platform.refusal { tx, context in
                            _ = try Invite.create(Array(repeating: NewInvite(), count: 10), tx, context)
                        }
                        return failure == nil ? 0 : 1
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(refused == 2)
            #expect(try await platform.count("beta_invites") == 100)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aBatchIsSentStepByStepAndEachMailOnce(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let emails = (0..<60).map { "p\($0)@Example.com" } + ["nobody"]
            let batch = try await platform.act { tx, context in
                try InviteBatch.start(emails, like: NewInvite(note: "Come & teach"), tx, context)
            }
            let progress = {
                try await platform.database.read { try InviteBatch.find(batch, $0)?.progress($0) }
            }
            #expect(try await progress()?.state == "running")
            #expect(try await progress()?.total == 61)
            try await platform.finishJobs()
            let done = try #require(try await progress())
            #expect(done.state == "finished" && done.sent == 60 && done.failed == 1)
            #expect(done.failedItems.map(\.email) == ["nobody"])
            #expect(try await platform.count("mailbox_messages") == 60)
            let mail = try await platform.database.read { try MailboxMessage.list(1, $0).first }
            #expect(mail?.text.contains("Come & teach") == true && mail?.text.contains("?code=") == true)
            let counts = try await platform.database.read { [now = platform.now] in
                try InviteCounts.lastDay($0, now: now)
            }
            #expect(counts.sent == 60 && counts.failed == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aListIsFilteredAndPaged(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let names = ["a_1@example.com", "ab1@example.com", "other@example.org"]
            let made = try await platform.act { tx, context in
                try Invite.create(names.map { NewInvite(email: $0, expiresInDays: 2) }, tx, context)
            }
            #expect(try await Self.consume(platform, made[1].code) == nil)
            let ids = { (filters: InviteFilters, after: ULID?) in
                let now = platform.now
                return try await platform.database.read {
                    try Invite.page(filters, after: after, limit: 2, $0, now: now).map(\.id)
                }
            }
            #expect(try await ids(InviteFilters(), nil) == [made[2].id, made[1].id])
            #expect(try await ids(InviteFilters(), made[1].id) == [made[0].id])
            #expect(try await ids(InviteFilters(email: "A_1"), nil) == [made[0].id], "no wildcard")
            #expect(try await ids(InviteFilters(status: .accepted), nil) == [made[1].id])
            #expect(try await ids(InviteFilters(status: .pending), nil) == [made[2].id, made[0].id])
            platform.advance(by: .seconds(3 * 86_400))
            #expect(try await ids(InviteFilters(status: .expired), nil) == [made[2].id, made[0].id])
            #expect(try await ids(InviteFilters(status: .revoked), nil) == [])
            #expect(try await ids(InviteFilters(start: platform.now), nil) == [])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theSettingsAreAudited(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            try await platform.act { tx, context in
                var settings = try BetaSettings.current(tx)
                #expect(settings.needsInvite && settings.betaPhase == "instructor_only")
                settings.allowSignupWithoutInvite = true
                try settings.save(tx, context)
            }
            let settings = try await platform.database.read { try BetaSettings.current($0) }
            #expect(settings.allowSignupWithoutInvite && !settings.needsInvite)
            #expect(try await platform.audited("invite.settings") == 1)
        }
    }
}
