import JSON
import Kernel
import NIOHTTP1
import Server
import Storage
import TestSupport
import Testing

@testable import Features

/// The life of an instructor and of a student, over HTTP alone, from an invitation
/// to a deletion; and what the audit log and the funnel say about it afterwards.
@Suite struct LifeTests {
    @Test(arguments: TestDatabase.available)
    func fromAnInvitationToADeletion(dialect: Dialect) async throws {
        let port = try FreePort.find()
        try await TestServer.run(
            dialect, clients: .live(),
            configure: { settings in
                // Without an account at Checkr the built-in one sends its webhooks here.
                (settings.checkrAPIKey, settings.checkrWebhookUser, settings.checkrWebhookPass) = (
                    nil, nil, nil
                )
                settings.port = port
            }
        ) { server in
            let admin = try await Self.administrator(server)
            let instructor = try await Self.onboard(server, admin)
            try await Self.offer(server, instructor)
            try await Self.checkBackground(server, instructor)
            try await Self.prove(server, instructor)
            try await Self.goLive(server, instructor)
            let student = try await Self.study(server, instructor)
            try await Self.leave(server, admin, student)
            try await Self.examine(server, instructor, student)
        }
    }

    struct Somebody: Sendable {
        var id: String
        var token: String
        var profile = ""
    }

    static let password = "Correct-horse-7"

    private static func administrator(_ server: TestServer) async throws -> Somebody {
        let id = try await NewPerson(
            email: "ada@instainstru.example", firstName: "Ada", lastName: "Admin", roles: ["admin"],
            zipCode: "10001", password: password
        ).create(server.platform, server.platform.context(.system("test"), surface: .cli))
        let token = try await signIn(server, "ada@instainstru.example")
        return Somebody(id: id.description, token: token)
    }

    private static func signIn(_ server: TestServer, _ email: String) async throws -> String {
        let answer = try await server.form(
            "/api/v1/auth/login", "username=\(email.replacing("@", with: "%40"))&password=\(password)")
        return try #require(answer["access_token"]?.stringValue, "\(answer)")
    }

    /// Invited, registered with the code, signed in with a second factor.
    private static func onboard(_ server: TestServer, _ admin: Somebody) async throws -> Somebody {
        let email = "maria@example.com"
        _ = try await server.json(
            .POST, "beta/invites/send", ["to_email": .string(email)], admin.token, status: 201)
        let code = try await server.platform.database.read { db in
            try db.value("SELECT code FROM beta_invites WHERE email = \(email)", as: String.self)
        }
        let invite = try #require(code)
        let valid = try await server.json(.GET, "beta/invites/validate?code=\(invite)", nil, nil)
        #expect(valid["valid"] == true)
        _ = try await server.json(
            .POST, "auth/register",
            [
                "email": .string(email), "password": .string(password), "first_name": "Maria",
                "last_name": "Quillfeather", "zip_code": "11215", "role": "instructor",
                "metadata": ["invite_code": .string(invite)],
            ], nil, status: 201)
        let first = try await signIn(server, email)
        let setup = try await server.json(.POST, "2fa/setup/initiate", [:], first)
        let secret = try #require(Base32Text.bytes(setup["secret"]?.stringValue ?? "?"))
        let totp = TOTP(secret: secret)
        let step = TOTP.step(at: Instant.now())
        let enabled = try await server.json(
            .POST, "2fa/setup/verify", ["code": .string(totp.code(step: step))], first)
        #expect(enabled["backup_codes"]?.arrayValue?.count == 10)
        let half = try await server.form(
            "/api/v1/auth/login", "username=maria%40example.com&password=\(password)")
        #expect(half["requires_2fa"] == true)
        #expect(half["access_token"]?.isNull ?? true)
        let temporary = try #require(half["temp_token"])
        // The step whose code turned the factor on is used up.
        let replayed = try await server.call(
            .POST, "2fa/verify-login", ["temp_token": temporary, "code": .string(totp.code(step: step))], nil)
        #expect(replayed.status == 401 && replayed.json["code"] == "invalid_code", "\(replayed.json)")
        let again = try await server.form(
            "/api/v1/auth/login", "username=maria%40example.com&password=\(password)")
        let whole = try await server.json(
            .POST, "2fa/verify-login",
            ["temp_token": again["temp_token"] ?? .null, "code": .string(totp.code(step: step + 1))], nil)
        let token = try #require(whole["access_token"]?.stringValue)
        let me = try await server.json(.GET, "auth/me", nil, token)
        return Somebody(id: try #require(me["id"]?.stringValue), token: token)
    }

    /// Services and free time.
    private static func offer(_ server: TestServer, _ person: Somebody) async throws {
        let catalog = try await server.call(.GET, "services/catalog", nil, nil).json
        let service = try #require(
            (catalog.arrayValue ?? catalog["services"]?.arrayValue ?? catalog["items"]?.arrayValue)?
                .first?["id"])
        let profile = try await server.json(
            .PUT, "instructors/me",
            [
                "bio": "Twenty years of scales.", "years_experience": 20,
                "services": [["service_catalog_id": service, "hourly_rate": 120]],
            ], person.token)
        #expect(profile["skills_configured"] == true)
        let monday = CalendarDay.utc(.now()).monday.adding(days: 7)
        let week = try await server.call(
            .POST, "instructors/availability/week",
            [
                "week_start": .string(monday.description),
                "schedule": [
                    ["date": .string(monday.description), "start_time": "09:00", "end_time": "17:00"]
                ],
            ], person.token)
        #expect(week.status == 200, "\(week.json)")
        #expect(week.headers.first(name: "ETag") != nil)
    }

    /// Consent, invitation, and the report of the built-in Checkr, as signed webhooks.
    private static func checkBackground(_ server: TestServer, _ person: Somebody) async throws {
        let own = try await server.json(.GET, "instructors/me", nil, person.token)
        let profile = try #require(own["id"]?.stringValue)
        let early = try await server.call(.POST, "instructors/\(profile)/bgc/invite", [:], person.token)
        #expect(early.json["code"] == "bgc_consent_required")
        _ = try await server.json(
            .POST, "instructors/\(profile)/bgc/consent",
            ["consent_version": "1", "disclosure_version": "1"], person.token)
        _ = try await server.json(.POST, "instructors/\(profile)/bgc/invite", [:], person.token)
        for _ in 0..<600 {
            let status = try await server.json(.GET, "instructors/me", nil, person.token)["bgc_status"]
            if status == "passed" { return }
            try await Task.sleep(for: .milliseconds(50))
        }
        Issue.record("the background check never passed")
    }

    /// Identity, by a signed event, and an account for payouts.
    private static func prove(_ server: TestServer, _ person: Somebody) async throws {
        let refused = try await server.call(.POST, "instructors/me/go-live", [:], person.token)
        #expect(refused.status == 409)
        #expect(refused.json["code"] == "GO_LIVE_PREREQUISITES")
        #expect(
            refused.json["errors"]?.arrayValue?.compactMap { $0["field"] } == ["identity", "stripe_connect"])
        let session: JSONObject = [
            "id": "vs_1", "object": "identity.verification_session", "status": "verified",
            "metadata": ["user_id": .string(person.id)],
        ]
        try await server.stripe("identity.verification_session.verified", session)
        // The part of Stripe Connect that this server does not have yet.
        _ = try await server.platform.database.write { tx in
            try tx.run(
                """
                INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
                onboarding_completed, created_at, updated_at)
                SELECT id, id, 'acct_1', \(true), created_at, created_at FROM instructor_profiles
                WHERE user_id = \(person.id)
                """)
        }
        try await server.eventually("the identity is verified") {
            try await server.json(.GET, "instructors/me", nil, person.token)["identity_verified_at"]?.isNull
                == false
        }
    }

    private static func goLive(_ server: TestServer, _ person: Somebody) async throws {
        let live = try await server.json(.POST, "instructors/me/go-live", [:], person.token)
        #expect(live["is_live"] == true)
        #expect(live["is_founding_instructor"] == true)
        let seen = try await server.call(.GET, "instructors/\(person.id)", nil, nil)
        #expect(seen.status == 200)
        #expect(!seen.json.text.contains("Quillfeather"))
        let free = try await server.json(.GET, "public/instructors/\(person.id)/availability", nil, nil)
        #expect(free.text.contains("09:00"))
    }

    /// Registered, searching, clicking, writing.
    private static func study(_ server: TestServer, _ instructor: Somebody) async throws -> Somebody {
        _ = try await server.json(
            .POST, "auth/register",
            [
                "email": "zeb@example.com", "password": .string(password), "first_name": "Zebulon",
                "last_name": "Wintergreen", "zip_code": "10002", "phone": "+12125550147",
            ], nil, status: 201)
        let token = try await signIn(server, "zeb@example.com")
        let me = try await server.json(.GET, "auth/me", nil, token)
        let found = try await server.json(.GET, "search?q=maria", nil, token)
        try await server.json(
            .POST, "search-history", ["search_query": "maria", "search_type": "natural_language"], token,
            status: 201)
        let result = try #require(found["results"]?.arrayValue?.first, "\(found)")
        #expect(result["instructor_id"] == .string(instructor.id))
        _ = try await server.json(
            .POST, "search/click",
            [
                "search_query_id": found["meta"]?["search_query_id"] ?? .null, "position": 1,
                "action": "view",
                "instructor_id": result["instructor_profile_id"] ?? .null,
            ], token, status: 201)
        _ = try await server.json(
            .POST, "addresses/me",
            [
                "label": "home", "recipient_name": "Zebulon Wintergreen", "street_line1": "7 Marlinspike Row",
                "locality": "New York", "administrative_area": "NY", "postal_code": "10002",
            ], token, status: 201)
        try await changeNumber(server, token)
        return Somebody(id: try #require(me["id"]?.stringValue), token: token)
    }

    /// Verifies the number by the code that was sent to it, then has another one.
    private static func changeNumber(_ server: TestServer, _ token: String) async throws {
        try await server.json(.POST, "account/phone/verify", [:], token)
        func text() async throws -> String? {
            try await server.platform.database.read { db in
                try db.value("SELECT body FROM mailbox_messages WHERE recipient = '+12125550147'")
            }
        }
        try await server.eventually("the code is sent") { try await text() != nil }
        let code = String(try #require(try await text()).prefix(6))
        let verified = try await server.json(
            .POST, "account/phone/verify/confirm", ["code": .string(code)], token)
        #expect(verified["verified"] == true)
        let changed = try await server.json(
            .PUT, "account/phone", ["phone_number": "2125550148"], token)
        #expect(changed == ["phone_number": "+12125550148", "verified": false])
    }

    private static func leave(_ server: TestServer, _ admin: Somebody, _ student: Somebody) async throws {
        let export = try await server.json(.GET, "privacy/export/me", nil, student.token)
        #expect(export["user_profile"]?["email"] == "zeb@example.com")
        #expect(export["sections"]?["addresses"]?.arrayValue?.first?["street_line1"] == "7 Marlinspike Row")
        #expect(export["sections"]?["search_history"]?.arrayValue?.isEmpty == false)
        let unproved = try await server.call(
            .POST, "privacy/delete/me", ["delete_account": true, "current_password": "wrong"], student.token)
        #expect(unproved.status == 422)
        let gone = try await server.json(
            .POST, "privacy/delete/me", ["delete_account": true, "current_password": .string(password)],
            student.token)
        #expect(gone["status"] == "deleted")
        #expect(try await server.call(.GET, "auth/me", nil, student.token).status == 401)
        try await server.eventually("the last message is forgotten") {
            try await server.platform.database.read { db in
                try db.value("SELECT COUNT(*) FROM event_outbox WHERE recipient = 'zeb@example.com'") == 0
            }
        }
    }

    /// Every step is in the log with its actor, the funnel counts match, nothing of the student is left.
    private static func examine(_ server: TestServer, _ instructor: Somebody, _ student: Somebody)
        async throws
    {
        await server.platform.recorder.flush()
        let actions = try await server.platform.database.read { db in
            try db.rows("SELECT DISTINCT action, actor_id FROM audit_logs WHERE status = 'success'").map {
                "\(try $0.get(at: 0, as: String.self)) \(try $0.get(at: 1, as: String?.self) ?? "")"
            }
        }
        let mine = [
            "user.create", "user.login", "user.2fa_enable", "instructor.go_live", "invite.consume",
        ].map { "\($0) \(instructor.id)" }
        let theirs = ["user.create", "user.login", "user.data_export", "user.delete"].map {
            "\($0) \(student.id)"
        }
        #expect(Set(mine + theirs).subtracting(actions) == [])
        let stages = try await server.platform.database.read { db in
            try db.values(
                "SELECT event_type FROM instructor_lifecycle_events WHERE user_id = \(instructor.id) ORDER BY id",
                as: String.self)
        }
        #expect(
            Set(stages) == [
                "registered", "profile_submitted", "services_configured", "bgc_initiated", "bgc_completed",
                "identity_verified", "went_live",
            ])
        let left = try await DatabaseText.search(
            server.platform.database,
            for: ["zeb@example.com", "Zebulon", "Wintergreen", "Marlinspike", "2125550147", "2125550148"])
        #expect(left == [])
        try await server.platform.sealer.sealAll()
        let report = try await server.platform.verifyAudit(server.platform.keys.signer.verifier, witness: nil)
        #expect(report.problems == [])
        // Last, for it leaves the address in the count of failed sign-ins.
        let again = try await server.send(
            .POST, "/api/v1/auth/login", headers: [("Content-Type", "application/x-www-form-urlencoded")],
            body: Array("username=zeb%40example.com&password=\(password)".utf8))
        #expect(again.status == 401)
    }
}
