import Features
import Kernel
import PlatformSupport
import Storage

/// Messages, and platforms that send them.
enum Outbox {
    static let jane = "jane@example.com"
    static let number = "+12125554567"

    static func email(
        to: String = jane, text: String = "It is on.", key: String = "booking/1/email"
    ) -> OutgoingMessage {
        .email(
            to: to, subject: "Your lesson", text: text, html: "<p>It is on.</p>", event: "booking.confirmed",
            about: "1", key: key)
    }

    static func sms(
        to: String = number, text: String = "Lesson at 5 & 1+1 ☺", key: String = "booking/1/sms"
    ) -> OutgoingMessage {
        .sms(to: to, text: text, event: "booking.confirmed", about: "1", key: key)
    }

    /// A platform with both providers configured.
    static func with(
        _ dialect: Dialect, _ providers: FakeProviders = FakeProviders(), logs: LogCollector = LogCollector(),
        _ body: (TestPlatform, FakeProviders) async throws -> Void
    ) async throws {
        try await TestPlatform.with(
            dialect, logger: logs.logger, clients: providers.clients,
            configure: {
                $0.resendAPIKey = FakeProviders.resendKey
                $0.emailFrom = "InstaInstru <hello@example.com>"
                $0.twilioAccountSID = FakeProviders.account
                $0.twilioAuthToken = FakeProviders.token
                $0.twilioMessagingServiceSID = FakeProviders.service
            }
        ) { platform in
            providers.use(platform.clock)
            try await body(platform, providers)
        }
    }

    @discardableResult
    static func send(_ platform: TestPlatform, _ messages: OutgoingMessage...) async throws -> [ULID] {
        try await platform.database.transaction(platform.context(), category: .admin) { tx, _ in
            try messages.map { try tx.send($0) }
        }
    }

    /// `STATUS/calls/error` of every message, oldest first.
    static func states(_ platform: TestPlatform) async throws -> [String] {
        try await platform.database.read { db in
            try db.rows(
                """
                SELECT status, attempt_count, COALESCE(last_error, '') FROM event_outbox ORDER BY id
                """
            ).map { row in
                let (status, calls): (String, Int) = (try row.get(at: 0), try row.get(at: 1))
                let error: String = try row.get(at: 2)
                return "\(status)/\(calls)/\(error)"
            }
        }
    }
}
