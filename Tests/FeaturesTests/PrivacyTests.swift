import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

@Suite struct PrivacyTests {
    /// Columns that say whose a row is.
    private static let owners: Set<String> = [
        "user_id", "student_id", "instructor_id", "sender_id", "referrer_user_id", "referred_user_id",
        "recipient", "referred_instructor_id",
        "email", "converted_user_id", "converted_to_user_id", "actor_id", "actor_email", "used_by_user_id",
        "instructor_profile_id", "profile_id", "custom_id", "actor", "owner", "created_by", "updated_by",
        "deleted_by", "resolved_by", "paused_by", "aggregate_id", "guest_session_id", "session_id",
        "candidate_id", "phone", "first_name", "last_name", "recipient_name", "street_line1", "ip",
        "ip_address", "ip_hash", "last_ip", "actor_ip", "user_agent", "actor_user_agent",
    ]
    /// Tables with such a column that hold nothing about the person.
    private static let others: [String: String] = [
        "users": "the person's own row, blanked by ForgetPerson itself",
        "search_clicks": "which instructor was shown; who looked is not there",
        "search_interactions": "which instructor was shown; who looked is not there",
        "instructor_payout_events": "financial records by the provider's ids",
        "ledger_lines": "a view of ledger_movements",
        "service_tokens": "programs' tokens; their owners answer for them and are no members",
        "webhook_events": "where the provider called from, and which operator resolved it",
        "job_queues": "which operator paused it",
        "referral_clicks": "the link that was followed, and a hash that fades with its key",
        "checkr_sandbox_invitations": "ids of the built-in Checkr; the candidate is blanked",
        "stripe_sandbox_objects": "the built-in Stripe's, by ids; it is told no names",
        "checkr_sandbox_reports": "ids of the built-in Checkr; the candidate is blanked",
    ]

    @Test(arguments: TestDatabase.available)
    func everyTableAboutPeopleIsListed(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let columns: SQL =
                switch dialect {
                case .sqlite:
                    """
                    SELECT m.name, p.name FROM sqlite_master m JOIN pragma_table_info(m.name) p
                    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'
                    """
                case .postgres:
                    """
                    SELECT table_name::text, column_name::text FROM information_schema.columns
                    WHERE table_schema = current_schema()
                    """
                }
            let found = try await platform.database.read { db in
                try db.rows(columns).map {
                    (try $0.get(at: 0, as: String.self), try $0.get(at: 1, as: String.self))
                }
            }
            let tables = Set(found.filter { Self.owners.contains($0.1) }.map(\.0))
            #expect(tables.count > 40)
            let listed = Set(PersonalTable.all.map(\.name))
            #expect(tables.subtracting(listed).subtracting(Self.others.keys) == [])
            #expect(listed.subtracting(found.map(\.0)) == [], "no such table")
            #expect(PersonalTable.all.count == listed.count, "listed twice")
        }
    }

    @Test(arguments: TestDatabase.available)
    func deletingIsRefusedWhileALessonIsToCome(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let student = try await platform.person(.student)
            let teacher = try await platform.person(.instructor)
            try await Self.book(platform, student, teacher)
            for person in [student, teacher] {
                let failure = try await platform.failure(
                    "privacy_delete_user", Self.request(person), as: admin)
                #expect(failure?.code == .conflict && failure?.reason == "upcoming_bookings")
            }
            try await platform.execute("UPDATE bookings SET status = 'CANCELLED'")
            let done = try await platform.call("privacy_delete_user", Self.request(student), as: admin)
            #expect(done["status"] == "deleted")
        }
    }

    @Test(arguments: TestDatabase.available)
    func repeatingADeletionChangesNothingMore(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let person = try await platform.person(.student, firstName: "Zebulon", lastName: "Wintergreen")
            for delete in [true, true, false] {
                _ = try await platform.call(
                    "privacy_delete_user",
                    Self.request(person).merging(["delete_account": .bool(delete)]), as: admin)
            }
            let row = try await platform.rows(
                """
                SELECT email, first_name, last_name, phone, is_active, account_status FROM users
                WHERE id = \(person.id ?? "")
                """)
            #expect(row.count == 1)
            #expect(row[0].contains("email=deleted_\((person.id ?? "").lowercased())@deleted.com"))
            #expect(row[0].contains("account_status=deactivated"))
            await platform.recorder.flush()
            let entries = try await platform.rows(
                "SELECT action FROM audit_logs WHERE action IN ('user.delete', 'user.anonymize')")
            #expect(entries == ["action=user.delete"])
            #expect(
                try await platform.failure("privacy_export_user", Self.id(person), as: admin)?.code
                    == .notFound)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anonymizingKeepsTheAccountWithoutAName(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let person = try await platform.person(.student, firstName: "Zebulon", lastName: "Wintergreen")
            let done = try await platform.call(
                "privacy_delete_user", Self.request(person).merging(["delete_account": false]), as: admin)
            #expect(done["status"] == "anonymized")
            let row = try await platform.rows(
                "SELECT first_name, is_active FROM users WHERE deleted_at IS NOT NULL")
            #expect(row.count == 1 && row[0].hasPrefix("first_name=Anonymous"))
        }
    }

    @Test(arguments: TestDatabase.available, [true, false])
    func nobodyComesBackAsWhoWasForgotten(dialect: Dialect, delete: Bool) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let member = try await TwoFactorTests.Member(platform)
            let answer = try await platform.signIn()
            let more: JSONObject = ["code": .string(member.code(platform)), "trust_device": true]
            let whole = try await platform.guest(
                "two_factor_verify_login", TwoFactorTests.verify(answer, more))
            _ = try await platform.guest("password_reset_request", ["email": .string(People.email)])
            let link = try await PasswordTests.token(platform)
            let tables = [
                "user_sessions", "refresh_tokens", "password_reset_tokens", "totp_secrets", "backup_codes",
                "trusted_devices",
            ]
            for table in tables { #expect(try await platform.count(table) > 0, "\(table)") }
            _ = try await platform.call(
                "privacy_delete_user", Self.request(member.actor).merging(["delete_account": .bool(delete)]),
                as: admin)
            for table in tables { #expect(try await platform.count(table) == 0, "\(table)") }
            let id = member.actor.id ?? ""
            #expect(try await platform.count("user_roles", where: "user_id = \(id)") == 0)
            #expect(try await platform.reason(whole) == "token_revoked")
            #expect(
                try await platform.refusal("auth_refresh", SessionTests.refresh(whole))?.code
                    == .unauthenticated)
            #expect(
                try await platform.refusal(
                    "password_reset_confirm",
                    ["token": .string(link), "new_password": .string(PasswordTests.next)])?.reason
                    == "invalid_reset_token")
            // Not even with what the account has now: its address, and a password somebody set.
            let address: String? = try await platform.value("SELECT email FROM users WHERE id = \(id)")
            let hash = try await PasswordHash.make(People.password)
            try await platform.execute(
                """
                UPDATE users SET hashed_password = \(hash.text), is_active = \(true), account_status = 'active'
                WHERE id = \(id)
                """)
            let messages = try await platform.count("event_outbox")
            _ = try await platform.guest("password_reset_request", ["email": .string(address ?? "")])
            #expect(try await platform.count("event_outbox") == messages)
            #expect(try await platform.count("password_reset_tokens") == 0)
            let failure = try await platform.refusal(
                "auth_login_with_session", People.credentials(address ?? ""))
            #expect(failure?.reason == "invalid_credentials")
            #expect(try await platform.count("user_sessions") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whatWentToAnOldNumberIsForgottenToo(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let actor = try await platform.member().actor
            _ = try await platform.call("account_phone_update", ["phone_number": "2125550147"], as: actor)
            _ = try await platform.call("account_phone_verify", as: actor)
            try await platform.drainJobs()
            try await platform.execute("UPDATE users SET phone_verified = \(true) WHERE id = \(actor.id)")
            let user = try actor.userID
            for channel in ["email", "sms"] {
                _ = try await platform.call(
                    "notification_preference_change",
                    ["category": "messages", "channel": .string(channel), "enabled": true], as: actor)
            }
            _ = try await platform.act { tx, _ in
                try tx.notify(
                    user: user, category: .messages, type: "message.new", title: "A message", body: "Hello")
            }
            try await platform.drainJobs()
            #expect(
                try await platform.count("mailbox_messages", where: "recipient = '+12125550147'") == 2)
            _ = try await platform.call("account_phone_update", ["phone_number": "2125550148"], as: actor)
            _ = try await platform.call("privacy_delete_user", Self.request(actor), as: admin)
            try await platform.finishJobs()
            let left = try await platform.dump()
            #expect(!left.contains("2125550147") && !left.contains("2125550148"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func theAuditLogKnowsAPersonByAddressUntilTheyAreForgotten(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let admin = try await platform.person(.admin)
            let person = try await platform.person(.student, email: "zeb@example.com")
            _ = try await platform.call("privacy_export_me", as: person)
            await platform.recorder.flush()
            let arguments: JSONObject = ["user_email": "zeb@example.com"]
            let before = try await platform.call("audit_user_activity", arguments)
            #expect(before["entries"]?[0]?["action"] == "user.data_export")
            #expect(before["entries"]?[0]?["actor"]?["email"] == "zeb@example.com")
            #expect(before["meta"]?["total_count"] == 1)
            let stored = try await platform.rows(
                "SELECT actor_email FROM audit_logs WHERE action = 'user.data_export'")
            #expect(stored == ["actor_email=NULL"])
            _ = try await platform.call("privacy_delete_user", Self.request(person), as: admin)
            let after = try await platform.call("audit_user_activity", arguments)
            #expect(after["meta"]?["total_count"] == 0)
            let byID = try await platform.call("audit_search", ["actor_id": .string(person.id ?? "")])
            #expect(byID["entries"]?[0]?["action"] == "user.data_export")
            #expect(!byID.text.contains("zeb@example.com"))
        }
    }

    /// Days that the rows of each rule are kept.
    private static let retained = [
        "search_events": 365, "guest_sessions": 30, "guest_searches": 90, "search_history": 90, "mailbox": 90,
        "addresses": 30,
    ]

    /// A row of a rule, with what it refers to, as old as it is at that moment.
    private static func rows(_ rule: String, _ id: ULID, _ user: String, _ at: Instant) -> [SQL] {
        switch rule {
        case "search_events":
            return [
                """
                INSERT INTO search_events (id, user_id, search_query, search_type, searched_at, is_returning_user)
                VALUES (\(id), \(user), 'q', 'filter', \(at), \(false))
                """
            ]
        case "guest_sessions":
            return [
                """
                INSERT INTO guest_sessions (id, created_at, expires_at)
                VALUES (\(id), \(at - GuestSession.lifetime), \(at))
                """
            ]
        case "guest_searches": return [search(id, user: nil, at, deletedAt: nil)]
        case "search_history": return [search(id, user: user, at, deletedAt: at)]
        case "mailbox":
            return [
                """
                INSERT INTO event_outbox (id, kind, event_type, recipient, idempotency_key, status, \
                attempt_count, sent_at, created_at, updated_at)
                VALUES (\(id), 'sms', 'test', '+12125550147', \(id.description), 'SENT', 1, \(at), \(at), \(at))
                """,
                """
                INSERT INTO mailbox_messages (id, kind, event_type, sender, recipient, body, idempotency_key, \
                created_at)
                VALUES (\(id), 'sms', 'test', 's', '+12125550147', 'Hello', \(id.description), \(at))
                """,
            ]
        case "addresses":
            return [
                """
                INSERT INTO user_addresses (id, user_id, label, street_line1, locality, administrative_area, \
                postal_code, country_code, verification_status, is_default, is_active, created_at, updated_at)
                VALUES (\(id), \(user), 'home', '1 Main St', 'New York', 'NY', '10001', 'US', 'unverified', \
                \(false), \(false), \(at), \(at))
                """
            ]
        default: return []
        }
    }

    private static func search(_ id: ULID, user: String?, _ at: Instant, deletedAt: Instant?) -> SQL {
        let guest: String? = user == nil ? id.description : nil
        return """
            INSERT INTO search_history (id, user_id, guest_session_id, search_query, normalized_query, \
            search_type, search_count, first_searched_at, last_searched_at, deleted_at)
            VALUES (\(id), \(user), \(guest), 'q', \(id.description), 'filter', 1, \(at), \(at), \(deletedAt))
            """
    }

    @Test(arguments: TestDatabase.available)
    func eachRetentionRuleDeletesWhatIsOldAndNothingElse(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            let rules = RetentionRule.policies + RetentionRule.softDeleted
            #expect(rules.map(\.name).sorted() == Self.retained.keys.sorted(), "each once, and each tested")
            let admin = try await platform.person(.admin)
            let user = try await platform.person(.student).id ?? ""
            var young: [String: Set<String>] = [:]
            for rule in rules {
                let days = try #require(Self.retained[rule.name])
                for seconds in [-86_400, -1, 1, 86_400] {
                    let id = platform.environment.ids.next()
                    let at = platform.now - .seconds(days * 86_400 + seconds)
                    for statement in Self.rows(rule.name, id, user, at) {
                        try await platform.execute(statement)
                    }
                    if seconds < 0 { young["\(rule.table)", default: []].insert("id=\(id)") }
                }
            }
            // What is there and was not deleted by anybody stays, however old.
            let kept = platform.environment.ids.next()
            try await platform.execute(
                Self.search(kept, user: user, platform.now - .seconds(800 * 86_400), deletedAt: nil))
            young["search_history", default: []].insert("id=\(kept)")
            let due = Dictionary(uniqueKeysWithValues: rules.map { ($0.name, 2) })
            let counted = try await platform.call("privacy_retention_apply", as: admin)
            #expect(counted["status"] == "counted")
            for (name, count) in due { #expect(counted["would_delete"]?[name] == .int(count), "\(name)") }
            #expect(try await platform.count("search_events") == 4)
            _ = try await platform.call("privacy_retention_apply", ["dry_run": false], as: admin)
            try await platform.drainJobs()
            for (table, ids) in young {
                let left = try await platform.rows("SELECT id FROM \(identifier: table)")
                #expect(Set(left) == ids, "\(table)")
            }
            let statistics = try await platform.call("privacy_statistics", as: admin)
            #expect(statistics["search_event_rows"] == 2)
            for rule in rules { #expect(statistics["due_for_deletion"]?[rule.name] == 0) }
        }
    }

    private static func id(_ person: Actor) -> JSONObject { ["user_id": .string(person.id ?? "")] }

    private static func request(_ person: Actor) -> JSONObject {
        ["user_id": .string(person.id ?? ""), "reason": "request 7"]
    }

    private static func book(_ platform: TestPlatform, _ student: Actor, _ teacher: Actor) async throws {
        try await platform.execute(
            """
            INSERT INTO bookings (id, student_id, instructor_id, status, booking_start_utc, created_at, updated_at)
            VALUES (\(platform.environment.ids.next()), \(student.id), \(teacher.id), 'CONFIRMED', \
            \(platform.now + .seconds(86_400)), \(platform.now), \(platform.now))
            """)
    }
}
