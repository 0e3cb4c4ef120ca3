import Features
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Invites, referrals, messages and reviews through the runner, as people call them.
@Suite struct PeopleOperationTests {
    static func text(_ actor: Actor) throws -> JSONValue { .string(try #require(actor.id)) }
    static func id(_ actor: Actor) throws -> ULID { try #require(actor.id.flatMap { ULID($0) }) }

    @Test(arguments: TestDatabase.available)
    func anInviteGoesFromTheAdministratorToTheOneWhoJoins(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (admin, ada) = (try await platform.person(.admin), try await platform.person(.instructor))
            #expect(
                try await platform.failure("invite_send_one", ["to_email": "x@example.com"], as: ada)?.code
                    == .forbidden)
            let sent = try await platform.call(
                "invite_send_one", ["to_email": "Ada@Example.com", "message_note": "Hello"], as: admin)
            let code = try #require(sent["code"])
            #expect(sent["status"] == "pending" && sent["email"] == "ada@example.com")
            #expect(sent["join_url"]?.stringValue?.hasSuffix("?code=\(code.stringValue ?? "")") == true)
            try await platform.drainJobs()
            #expect(try await platform.count("mailbox_messages") == 1)
            let valid = try await platform.call("invite_validate", ["code": code], as: .guest)
            #expect(
                valid["valid"] == true && valid["reason"] == .null && valid["email"] == "a***@example.com")
            let before = try await platform.call("invite_verified", as: ada)
            #expect(before["verified"] == false)
            _ = try await platform.call("invite_consume", ["code": code], as: ada)
            #expect(try await platform.call("invite_verified", as: ada)["verified"] == true)
            let used = try await platform.call("invite_validate", ["code": code], as: .guest)
            #expect(used["valid"] == false && used["reason"] == "used")
            let none = try await platform.call("invite_validate", ["code": "ZZZZZZZZ"], as: .guest)
            #expect(none["reason"] == "not_found")
            let again = try await platform.failure("invite_consume", ["code": code], as: ada)
            #expect(again?.reason == "invite_used")
            await platform.recorder.flush()
            let entries = try await platform.rows(
                "SELECT action, metadata, changes FROM audit_logs WHERE action LIKE 'invite.%'")
            #expect(entries.contains { $0.contains("invite.create") })
            #expect(entries.contains { $0.contains("invite.send") })
            #expect(entries.contains { $0.contains("invite.consume") })
            #expect(!entries.contains { $0.contains("Ada@Example.com") }, "addresses stay out of the log")
        }
    }

    @Test(arguments: TestDatabase.available)
    func invitesAreMadeInNumbers(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let made = try await platform.call("invite_generate", ["count": 3], as: admin)
            #expect(made["invites"]?.arrayValue?.count == 3)
            #expect(try await platform.failure("invite_generate", as: admin)?.code == .invalidInput)
            let batch = try await platform.call(
                "invite_send_batch", ["emails": ["a@example.com", "A@example.com", "nobody"]], as: admin)
            #expect(batch["sent"]?.arrayValue?.count == 1 && batch["failed"]?.arrayValue?.count == 1)
            let task = try await platform.call(
                "invite_start_batch", ["emails": ["b@example.com", "c@example.com"]], as: admin)
            try await platform.finishJobs()
            let progress = try await platform.call(
                "invite_batch_progress", ["task_id": try #require(task["task_id"])], as: admin)
            #expect(progress["state"] == "finished" && progress["sent"] == 2 && progress["total"] == 2)
            let summary = try await platform.call("beta_summary", as: admin)
            #expect(summary["invites_sent_24h"] == 3 && summary["founding_outstanding"] == 6)
            let over = try await platform.failure(
                "invite_generate", ["count": 100], as: admin)
            #expect(over?.reason == "founding_cap_exceeded")
            let changed = try await platform.call(
                "beta_settings_change",
                [
                    "beta_disabled": false, "beta_phase": "open", "allow_signup_without_invite": true,
                ], as: admin)
            #expect(changed["beta_phase"] == "open")
            #expect(try await platform.call("beta_settings_show", as: admin)["beta_phase"] == "open")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aPreviewKnowsWhoHasAnAccount(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let maria = try await platform.person(.student, email: "maria@example.com")
            let emails = ["Maria@example.com", "new@example.com", "maria@example.com "]
            let found = try await platform.database.read { try InviteRecipient.of(emails, $0) }
            #expect(found.map(\.email) == ["maria@example.com", "new@example.com"])
            #expect(found.map(\.existsInSystem) == [true, false])
            #expect(found[0].userID?.description == maria.id)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReferralGoesFromTheLinkToTheClaim(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (maria, joe) = (try await platform.person(.student), try await platform.person(.student))
            #expect(try await platform.call("referral_me", as: maria)["code"] == .null)
            let joined = try await platform.call(
                "referral_join", ["slug": "Maria-L", "device_id": "m"], as: maria)
            #expect(joined["slug"] == "maria-l")
            let again = try await platform.call("referral_join", as: maria)
            #expect(again["code"] == joined["code"] && again["slug"] == "maria-l")
            let link = try await platform.call("referral_link", ["slug": "maria-l"], as: .guest)
            #expect(link["referrer_name"] == "Maria L.")
            _ = try await platform.call("referral_click", ["slug": "maria-l"], as: .guest)
            #expect(try await platform.count("referral_clicks") == 1)
            #expect(
                try await platform.failure("referral_link", ["slug": "nobody"], as: .guest)?.code == .notFound
            )
            // Everybody in these tests has one address, which is fraud.
            let claim = try await platform.call("referral_claim", ["code": "maria-l"], as: joe)
            #expect(claim["attributed"] == false && claim["reason"] == "self_referral")
            try await platform.execute("DELETE FROM referral_fingerprints WHERE kind = 'ip'")
            let fine = try await platform.call(
                "referral_claim", ["code": "maria-l", "device_id": "j"], as: joe)
            #expect(fine["attributed"] == true && fine["reason"] == .null)
            for _ in 0..<2 {
                let sent = try await platform.call(
                    "referral_send", ["emails": ["kim@example.com", "nobody"]], as: maria)
                #expect(sent["accepted"] == 1 && sent["failed"] == ["nobody"])
            }
            try await platform.drainJobs()
            #expect(try await platform.count("mailbox_messages") == 1, "each address gets it once")
        }
    }

    @Test(arguments: TestDatabase.available)
    func whoOnlySendsLinksIsRecognisedByTheirAddress(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (maria, joe) = (try await platform.person(.student), try await platform.person(.student))
            _ = try await platform.call("referral_send", ["emails": ["kim@example.com"]], as: maria)
            let code = try #require(try await platform.call("referral_me", as: maria)["code"])
            let claim = try await platform.call("referral_claim", ["code": code], as: joe)
            #expect(claim["attributed"] == false && claim["reason"] == "self_referral")
        }
    }

    @Test(arguments: TestDatabase.available)
    func administratorsAndInstructorsSeeWhatReferralsEarn(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (admin, ada) = (try await platform.person(.admin), try await platform.person(.instructor))
            let (kim, student) = (try await platform.person(.instructor), try await platform.person(.student))
            let (adaID, kimID) = (try Self.id(ada), try Self.id(kim))
            try await platform.givenPayoutAccount(adaID)
            let code = try await ReferralTests.code(platform, of: adaID)
            #expect(try await ReferralTests.claim(platform, code.code, by: kimID) == .attributed)
            _ = try await platform.act { tx, context in
                try InstructorReferral.firstLessonCompleted(
                    instructor: kimID, booking: context.newID(), tx, context)
            }
            let stats = try await platform.call("instructor_referral_stats", as: ada)
            #expect(stats["total_referred"] == 1 && stats["pending_payouts"] == 1)
            #expect(stats["current_bonus_cents"] == 7_500 && stats["paid_cents"] == 0)
            let list = try await platform.call("instructor_referral_list", as: ada)
            #expect(list["payouts"]?.arrayValue?.first?["instructor_name"] == "Maria L.")
            #expect(
                try await platform.call("instructor_referral_popup", as: ada)["referral_link"] != .null)
            #expect(
                try await platform.failure("instructor_referral_stats", as: student)?.code == .forbidden)
            let founding = try await platform.call("instructor_referral_founding", as: .guest)
            #expect(founding["spots_remaining"] == founding["total_founding_spots"])
            let summary = try await platform.call("referral_summary", as: admin)
            #expect(summary["payouts"]?["pending"]?["cents"] == 7_500 && summary["attributions_24h"] == 1)
            #expect(try await platform.call("referral_health", as: admin)["is_healthy"] == true)
            platform.advance(by: .seconds(1_801))
            #expect(try await platform.call("referral_health", as: admin)["is_healthy"] == false)
            #expect(try await platform.call("referral_config", as: admin)["student_global_cap"] == 20)
        }
    }

    @Test(arguments: TestDatabase.available)
    func twoPeopleWriteToEachOtherAndNobodyElseReads(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (maria, ada) = (try await platform.person(.student), try await platform.person(.instructor))
            let (joe, admin) = (try await platform.person(.student), try await platform.person(.admin))
            #expect(
                try await platform.failure(
                    "conversation_start", ["instructor_id": try Self.text(joe)], as: maria)?.code == .notFound
            )
            let started = try await platform.call(
                "conversation_start",
                ["instructor_id": try Self.text(ada), "initial_message": "Hello"], as: maria)
            #expect(started["is_new"] == true)
            let id = try #require(started["conversation"]?["id"])
            let again = try await platform.call(
                "conversation_start", ["instructor_id": try Self.text(ada)], as: maria)
            #expect(again["is_new"] == false && again["conversation"]?["id"] == id)
            let list = try await platform.call("conversation_list", as: ada)
            let row = try #require(list["conversations"]?.arrayValue?.first)
            #expect(row["unread_count"] == 1 && row["other_user"]?["name"] == "Maria L.")
            #expect(row["last_message"]?["content"] == "Hello")
            let answer = try await platform.call(
                "message_write", ["id": id, "content": "Hi Maria"], as: ada)
            let message = try #require(answer["id"])
            for stranger in [joe, admin] {
                for (name, arguments) in [
                    ("conversation_show", ["id": id]), ("message_list", ["id": id]),
                    ("message_write", ["id": id, "content": "x"]),
                    ("conversation_move", ["id": id, "state": "archived"]),
                    ("message_edit", ["id": message, "content": "x"]), ("message_delete", ["id": message]),
                    ("message_mark_read", ["conversation_id": id]),
                ] as [(String, JSONObject)] {
                    let failure = try await platform.failure(name, arguments, as: stranger)
                    #expect(failure?.code == .notFound, "\(name)")
                }
            }
            #expect(
                try await platform.failure("message_edit", ["id": message, "content": "x"], as: maria)?.code
                    == .forbidden)
            #expect(try await platform.call("message_unread_count", as: maria)["unread_count"] == 1)
            _ = try await platform.call("message_delete", ["id": message], as: ada)
            #expect(try await platform.call("message_unread_count", as: maria)["unread_count"] == 0)
            let read = try await platform.call("message_mark_read", ["conversation_id": id], as: ada)
            #expect(read["count"] == 1 && read["unread_count"] == 0)
            let page = try await platform.call("message_list", ["id": id], as: maria)
            #expect(page["messages"]?.arrayValue?.map { $0["content"] } == [.null, "Hello"])
            #expect(try await platform.failure("conversation_list", as: .guest)?.code == .unauthenticated)
            let rules = try await platform.call("message_config", as: maria)
            #expect(rules["edit_window_minutes"] == 5)
            await platform.recorder.flush()
            let entries = try await platform.rows("SELECT metadata, changes FROM audit_logs")
            #expect(!entries.contains { $0.contains("Hello") || $0.contains("Hi Maria") })
        }
    }

    @Test(arguments: TestDatabase.available)
    func aConversationThatIsBegunAgainHasAnotherMessage(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (maria, ada) = (try await platform.person(.student), try await platform.person(.instructor))
            for _ in 0..<2 {
                _ = try await platform.call(
                    "conversation_start",
                    ["instructor_id": try Self.text(ada), "initial_message": "Hello"], as: maria)
            }
            #expect(try await platform.count("conversations") == 1)
            #expect(try await platform.count("messages") == 2)
            let descriptor = OperationCatalog(platform.features)["conversation_start"]
            #expect(descriptor?.isIdempotent == false, "so it must not say that a repeat changes nothing")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMessageNamesALessonOfTheTwoOnly(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (maria, ada) = (try await platform.person(.student), try await platform.person(.instructor))
            let joe = try await platform.person(.student)
            let own = try await platform.givenBooking(student: Self.id(maria), instructor: Self.id(ada))
            let other = try await platform.givenBooking(student: Self.id(joe), instructor: Self.id(ada))
            let started = try await platform.call(
                "conversation_start", ["instructor_id": try Self.text(ada)], as: maria)
            let id = try #require(started["conversation"]?["id"])
            let write = { (booking: ULID) in
                try await platform.failure(
                    "message_write",
                    ["id": id, "content": "About it", "booking_id": .string(booking.description)], as: maria)
            }
            #expect(try await write(own) == nil)
            #expect(try await write(other)?.reason == "booking_not_found")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aReviewGoesFromTheStudentToEverybody(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let (maria, ada) = (try await platform.person(.student), try await platform.person(.instructor))
            let (admin, joe) = (try await platform.person(.admin), try await platform.person(.student))
            let booking = JSONValue.string(
                try await platform.givenBooking(student: Self.id(maria), instructor: Self.id(ada)).description
            )
            let instructor = try Self.text(ada)
            let call: JSONObject = ["booking_id": booking, "rating": 4, "review_text": "Very patient"]
            #expect(try await platform.failure("review_write", call, as: joe)?.code == .notFound)
            let review = try await platform.call("review_write", call, as: maria)
            let id = try #require(review["id"])
            #expect(try await platform.failure("review_write", call, as: maria)?.reason == "review_exists")
            let overall = try await platform.call(
                "review_ratings", ["instructor_id": instructor], as: .guest)["overall"]
            #expect(overall?["rating"] == .double(4) && overall?["review_count"] == 1)
            let batch = try await platform.call(
                "review_ratings_batch", ["instructor_ids": [instructor, try Self.text(joe)]], as: .guest)
            #expect(batch["results"]?.arrayValue?.map { $0["review_count"] } == [1, 0])
            _ = try await platform.call("review_respond", ["id": id, "response_text": "Thank you"], as: ada)
            let list = try await platform.call("review_list", ["instructor_id": instructor], as: .guest)
            let shown = try #require(list["reviews"]?.arrayValue?.first)
            #expect(shown["reviewer_name"] == "Maria L.")
            #expect(shown["response"]?["response_text"] == "Thank you")
            #expect(
                try await platform.call("review_of_booking", ["booking_id": booking], as: ada)["id"] == id)
            #expect(
                try await platform.failure("review_of_booking", ["booking_id": booking], as: joe)?.code
                    == .notFound)
            let existing = try await platform.call(
                "review_existing", ["booking_ids": [booking]], as: maria)
            #expect(existing["booking_ids"] == [booking])
            let hide: JSONObject = ["id": id, "status": "hidden", "reason": "rude words"]
            #expect(try await platform.failure("review_moderate", hide, as: ada)?.code == .forbidden)
            _ = try await platform.call("review_moderate", hide, as: admin)
            let gone = try await platform.call("review_list", ["instructor_id": instructor], as: .guest)
            #expect(gone["reviews"]?.arrayValue?.isEmpty == true)
            let rating = try await platform.call(
                "review_search_rating", ["instructor_id": instructor], as: .guest)
            #expect(rating["rating"] == .null && rating["review_count"] == 0)
            let inbox = try await platform.call("notification_list", as: ada)
            #expect(inbox["unread_count"] == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func listsCostAFixedNumberOfStatements(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let ada = try await platform.person(.instructor)
            var counts: [String: Set<Int>] = [:]
            for _ in 0..<2 {
                for _ in 0..<4 {
                    let maria = try await platform.person(.student)
                    _ = try await platform.call(
                        "conversation_start",
                        ["instructor_id": try Self.text(ada), "initial_message": "Hello"], as: maria)
                    let booking = try await platform.givenBooking(
                        student: Self.id(maria), instructor: Self.id(ada))
                    _ = try await platform.call(
                        "review_write", ["booking_id": .string(booking.description), "rating": 5], as: maria)
                }
                for (name, arguments) in [
                    ("conversation_list", [:]), ("review_list", ["instructor_id": try Self.text(ada)]),
                ] as [(String, JSONObject)] {
                    await platform.recorder.flush()
                    _ = platform.database.takeStatementCount()
                    _ = try await platform.call(name, arguments, as: ada)
                    counts[name, default: []].insert(platform.database.takeStatementCount())
                }
            }
            #expect(counts.values.allSatisfy { $0.count == 1 }, "\(counts)")
        }
    }
}
