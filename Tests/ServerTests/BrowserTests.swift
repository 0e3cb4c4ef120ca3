import JSON
import Kernel
import NIOHTTP1
import Server
import Storage
import TestSupport
import Testing

/// What browsers do: cookies, the token of a page, versions, and the headers that protect.
@Suite struct BrowserTests {
    static let password = "Correct-horse-7"

    /// A cookie jar of one site.
    struct Jar {
        var cookies: [String: String] = [:]
        var fields: [String] = []

        mutating func take(_ answer: TestServer.Answer) {
            fields = answer.headers["Set-Cookie"]
            for field in fields {
                let pair = field.split(separator: ";")[0].split(separator: "=", maxSplits: 1).map(String.init)
                cookies[pair[0]] = field.contains("Max-Age=0") ? nil : pair.count > 1 ? pair[1] : nil
            }
        }

        var header: [(String, String)] {
            [("Cookie", cookies.map { "\($0.key)=\($0.value)" }.sorted().joined(separator: "; "))]
        }
    }

    private static func post(
        _ server: TestServer, _ path: String, _ body: JSONObject, _ jar: Jar, page: String? = nil,
        method: HTTPMethod = .POST, headers: [(String, String)] = []
    ) async throws -> TestServer.Answer {
        var all = jar.header + [("Content-Type", "application/json")] + headers
        if let page { all.append(("X-CSRF-Token", page)) }
        return try await server.send(
            method, "/api/v1/" + path, headers: all, body: JSONValue.object(body).encoded())
    }

    private static func signedIn(_ server: TestServer, _ roles: [String] = ["student"]) async throws -> Jar {
        _ = try await NewPerson(
            email: "bo@example.com", firstName: "Bo", lastName: "Field", roles: roles, zipCode: "10001",
            password: password
        ).create(server.platform, server.platform.context(.system("test"), surface: .cli))
        return try await signIn(server, Jar())
    }

    private static func signIn(_ server: TestServer, _ jar: Jar) async throws -> Jar {
        var jar = jar
        let answer = try await post(
            server, "auth/login-with-session",
            ["email": "bo@example.com", "password": .string(password)], jar)
        #expect(answer.status == 200)
        jar.take(answer)
        return jar
    }

    @Test(arguments: TestDatabase.available)
    func aChangeWithCookiesNeedsTheTokenOfThePage(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            var jar = try await Self.signedIn(server)
            #expect(Set(jar.cookies.keys) == ["access_token", "refresh_token", "csrf_token"])
            for field in jar.fields {
                #expect(field.contains("HttpOnly") == !field.hasPrefix("csrf_token"))
                #expect(field.contains(field.hasPrefix("refresh_token") ? "SameSite=Strict" : "SameSite=Lax"))
                #expect(!field.contains("Secure"))
            }
            let me = try await server.send(.GET, "/api/v1/auth/me", headers: jar.header)
            #expect(me.status == 200 && me.json["email"] == "bo@example.com")
            for page in [nil, "", "wrong", jar.cookies["access_token"]] {
                let answer = try await Self.post(
                    server, "auth/me", ["first_name": "Bob"], jar, page: page, method: .PATCH)
                #expect(
                    answer.status == 403 && answer.json["code"] == "csrf_token_missing", "\(page ?? "nil")")
            }
            let page = try #require(jar.cookies["csrf_token"])
            let changed = try await Self.post(
                server, "auth/me", ["first_name": "Bob"], jar, page: page, method: .PATCH)
            #expect(changed.status == 200 && changed.json["first_name"] == "Bob")
            // The token belongs to its session.
            let other = try await Self.signIn(server, jar)
            #expect(other.cookies["csrf_token"] != page)
            let foreign = try await Self.post(
                server, "auth/me", ["first_name": "Bobby"], other, page: page, method: .PATCH)
            #expect(foreign.status == 403)
            // Without the token somebody else's page signs nobody out; with it the cookies go.
            _ = try await Self.post(server, "public/logout", [:], jar)
            #expect(try await server.send(.GET, "/api/v1/auth/me", headers: jar.header).status == 200)
            let old = jar
            jar.take(try await Self.post(server, "public/logout", [:], jar, page: page))
            #expect(jar.cookies.isEmpty)
            #expect(try await server.send(.GET, "/api/v1/auth/me", headers: old.header).status == 401)
        }
    }

    @Test(arguments: TestDatabase.available)
    func whoseAccessCookieIsGoneSignsOutAllTheSame(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            var jar = try await Self.signedIn(server)
            let refresh = try #require(jar.fields.first { $0.hasPrefix("refresh_token=") })
            #expect(refresh.contains("Path=/api/v1;"), "it has to reach both auth/refresh and public/logout")
            let page = jar.cookies["csrf_token"]
            jar.cookies["access_token"] = nil
            let before = jar
            // Another site's page knows no token, and ends nothing.
            _ = try await Self.post(server, "public/logout", [:], jar)
            jar.take(try await Self.post(server, "auth/refresh", [:], jar))
            #expect(jar.cookies["access_token"] != nil)
            jar.cookies["access_token"] = nil
            let old = jar
            jar.take(try await Self.post(server, "public/logout", [:], jar, page: page))
            #expect(jar.cookies.isEmpty)
            for jar in [before, old] {
                #expect(try await Self.post(server, "auth/refresh", [:], jar).status == 401)
            }
            let ends = try await server.platform.database.read { db in
                try db.values("SELECT revoked_reason FROM user_sessions", as: String.self)
            }
            #expect(ends == ["logout"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func theRefreshCookieIsGoodOnceAndItsReuseEndsTheSession(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let first = try await Self.signedIn(server)
            var second = first
            let renewed = try await Self.post(server, "auth/refresh", [:], first)
            #expect(renewed.status == 200, "\(renewed.json)")
            second.take(renewed)
            #expect(second.cookies["refresh_token"] != first.cookies["refresh_token"])
            #expect(try await server.send(.GET, "/api/v1/auth/me", headers: second.header).status == 200)
            #expect(try await Self.post(server, "auth/refresh", [:], first).status == 401)
            #expect(try await Self.post(server, "auth/refresh", [:], second).status == 401)
            #expect(try await server.send(.GET, "/api/v1/auth/me", headers: second.header).status == 401)
        }
    }

    @Test(arguments: TestDatabase.available)
    func suspensionEndsEverySession(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let jar = try await Self.signedIn(server, ["instructor"])
            let page = jar.cookies["csrf_token"]
            let answer = try await Self.post(server, "account/suspend", [:], jar, page: page)
            #expect(answer.status == 200, "\(answer.json)")
            #expect(try await server.send(.GET, "/api/v1/auth/me", headers: jar.header).status == 401)
            #expect(try await Self.post(server, "auth/refresh", [:], jar).status == 401)
            // Who is suspended may sign in, to come back.
            let again = try await Self.signIn(server, Jar())
            #expect(try await server.send(.GET, "/api/v1/auth/me", headers: again.header).status == 200)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aWeekHasAVersionThatIsAskedForAndDefended(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let jar = try await Self.signedIn(server, ["instructor"])
            let page = jar.cookies["csrf_token"]
            let path = "instructors/availability/week"
            let empty = try await server.send(.GET, "/api/v1/" + path, headers: jar.header)
            let version = try #require(empty.headers.first(name: "ETag"))
            let same = try await server.send(
                .GET, "/api/v1/" + path, headers: jar.header + [("If-None-Match", version)])
            #expect(same.status == 304 && same.bytes.isEmpty)
            let monday = CalendarDay.utc(.now()).monday
            let body: JSONObject = [
                "week_start": .string(monday.description),
                "schedule": [
                    ["date": .string(monday.description), "start_time": "09:00", "end_time": "10:00"]
                ],
            ]
            let saved = try await Self.post(
                server, path, body, jar, page: page, headers: [("If-Match", version)])
            #expect(saved.status == 200, "\(saved.json)")
            #expect(saved.headers.first(name: "ETag") != version)
            let late = try await Self.post(
                server, path, body, jar, page: page, headers: [("If-Match", version)])
            #expect(late.status == 409 && late.json["code"] == "version_conflict")
        }
    }

    @Test func inProductionCookiesAreSecureAndEveryAnswerIsProtected() async throws {
        try await TestServer.run(
            .sqlite,
            configure: {
                $0.environmentName = "production"
                ($0.ratePerMinute, $0.rateBurst) = (600, 100)
            }
        ) { server in
            let jar = try await Self.signedIn(server)
            #expect(jar.cookies["sid_prod"] != nil)
            #expect(jar.fields.allSatisfy { $0.contains("; Secure") })
            let me = try await server.send(.GET, "/api/v1/auth/me", headers: jar.header)
            #expect(Int(me.headers.first(name: "RateLimit-Limit") ?? "") ?? 0 > 0)
            #expect(me.headers.first(name: "RateLimit-Remaining") != nil)
            for path in ["/api/v1/auth/me", "/api/v1/nothing", "/health"] {
                let headers = try await server.send(.GET, path).headers
                #expect(headers.first(name: "X-Content-Type-Options") == "nosniff", "\(path)")
                #expect(headers.first(name: "X-Frame-Options") == "DENY", "\(path)")
                #expect(
                    headers.first(name: "Content-Security-Policy")?.contains("default-src 'none'") == true)
                #expect(headers.first(name: "Strict-Transport-Security") != nil, "\(path)")
                #expect(headers.first(name: "Cache-Control") == "no-store", "\(path)")
            }
        }
    }
}
