import JSON
import Kernel
import PlatformSupport
import Storage

@testable import Features

/// People who register and sign in as anybody does.
enum People {
    static let email = "maria@example.com"
    static let password = "Correct horse 1"

    static func registration(
        _ email: String = email, _ more: JSONObject = [:]
    ) -> JSONObject {
        let fields: JSONObject = [
            "email": .string(email), "password": .string(password), "first_name": "Maria",
            "last_name": "Lopez", "zip_code": "60601",
        ]
        return fields.merging(more)
    }

    static func credentials(_ email: String = email, _ password: String = password) -> JSONObject {
        ["email": .string(email), "password": .string(password)]
    }
}

extension TestPlatform {
    /// Calls as a guest from an address of one's own.
    func guest(_ name: String, _ arguments: JSONObject, ip: String = "192.0.2.1") async throws -> JSONValue {
        var context = context(.guest, surface: .rest)
        context.ip = ip
        return try JSONValue(parsing: try await runner.call(name, arguments, context).bytes)
    }

    /// The failure that a guest's call ends in; nil when it succeeds.
    func refusal(_ name: String, _ arguments: JSONObject, ip: String = "192.0.2.1") async throws -> Failure? {
        do {
            _ = try await guest(name, arguments, ip: ip)
            return nil
        } catch let failure as Failure { return failure }
    }

    func signIn(_ email: String = People.email, _ password: String = People.password) async throws
        -> JSONValue
    {
        try await guest("auth_login_with_session", People.credentials(email, password))
    }

    /// Who carries an access token at this moment.
    func actor(_ answer: JSONValue) async throws -> Actor {
        let authenticator = try await UserAuthenticator(database: database, secrets: environment.secrets)
        return try await authenticator.actor(token: answer["access_token"]?.stringValue ?? "", at: now)
    }

    /// Why an access token is not good; nil when it is.
    func reason(_ answer: JSONValue) async throws -> String? {
        do {
            _ = try await actor(answer)
            return nil
        } catch let failure as Failure { return failure.reason }
    }

    /// Registers somebody and signs them in.
    func member(_ email: String = People.email) async throws -> (actor: Actor, answer: JSONValue) {
        _ = try await guest("auth_register", People.registration(email), ip: "198.51.100.\(email.utf8.count)")
        let answer = try await signIn(email)
        return (try await actor(answer), answer)
    }

    /// `action/status` of the audit entries, oldest first.
    func trail(where condition: SQL = "1 = 1") async throws -> [String] {
        await recorder.flush()
        return try await rows("SELECT action, status FROM audit_logs WHERE \(condition) ORDER BY id").map {
            $0.split(separator: " ").map { String($0.split(separator: "=").last ?? "") }.joined(
                separator: "/")
        }
    }

    /// The text of the last message of an event.
    func message(_ event: String) async throws -> String? {
        try await value("SELECT body FROM event_outbox WHERE event_type = \(event) ORDER BY id DESC LIMIT 1")
    }

    /// Runs `body` so many times at once and says how often it returned true.
    func atOnce(_ count: Int, _ body: @escaping @Sendable (Int) async throws -> Bool) async throws -> Int {
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for index in 0..<count { group.addTask { try await body(index) } }
            return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
    }
}
