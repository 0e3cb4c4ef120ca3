import Features
import Kernel
import Testing

/// The settings that choose who sends.
@Suite struct MessageSettingsTests {
    static let twilio = [
        "TWILIO_ACCOUNT_SID": FakeProviders.account, "TWILIO_AUTH_TOKEN": FakeProviders.token,
    ]

    static func load(_ settings: [String: String]) throws -> Configuration {
        try Configuration.load { settings[$0] }
    }

    @Test func withoutSettingsMessagesStayHere() throws {
        let settings = try Self.load([:])
        #expect(MessageKind.allCases.map { MessageSender.of($0, settings).name } == ["mailbox", "mailbox"])
    }

    @Test func eachKindHasItsOwnProvider() throws {
        let email = try Self.load(["RESEND_API_KEY": "re_1", "EMAIL_FROM": "hello@example.com"])
        #expect(MessageKind.allCases.map { MessageSender.of($0, email).name } == ["resend", "mailbox"])
        let sms = try Self.load(Self.twilio.merging(["TWILIO_FROM": "+15005550006"]) { $1 })
        #expect(MessageKind.allCases.map { MessageSender.of($0, sms).name } == ["mailbox", "twilio"])
        #expect(MessageSender.of(.sms, sms).address == "+15005550006")
    }

    static let halves: [([String: String], [String])] = [
        (["RESEND_API_KEY": "re_1"], ["EMAIL_FROM"]),
        (["RESEND_API_KEY": "re_1", "EMAIL_FROM": "hello"], ["EMAIL_FROM"]),
        (["EMAIL_FROM": "A <a@b.example>\nBcc: x@y.example"], ["EMAIL_FROM"]),
        (twilio, ["TWILIO_FROM"]),
        (["TWILIO_FROM": "+15005550006"], ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"]),
        (["TWILIO_AUTH_TOKEN": "x"], ["TWILIO_ACCOUNT_SID", "TWILIO_FROM"]),
        (["TWILIO_ACCOUNT_SID": "AC1/../x"], ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_FROM"]),
        (
            twilio.merging(["TWILIO_FROM": "+1", "TWILIO_MESSAGING_SERVICE_SID": FakeProviders.service]) {
                $1
            },
            ["TWILIO_FROM"]
        ),
    ]

    @Test(arguments: halves.indices)
    func aHalfConfiguredProviderIsReportedAtStart(index: Int) {
        let (settings, names) = Self.halves[index]
        let failure = #expect(throws: Failure.self) { try Self.load(settings) }
        #expect(failure?.fields.map(\.name) == names)
    }

    @Test func secretsPrintAsStars() throws {
        let settings = try Self.load(
            Self.twilio.merging([
                "RESEND_API_KEY": "re_secret", "EMAIL_FROM": "a@b.example", "TWILIO_FROM": "+15005550006",
            ]) { $1 })
        let shown = settings.redacted.map { "\($0.name)=\($0.value)" }
        #expect(shown.contains("RESEND_API_KEY=***") && shown.contains("TWILIO_AUTH_TOKEN=***"))
        #expect(!shown.joined().contains("re_secret") && !shown.joined().contains(FakeProviders.token))
    }
}
