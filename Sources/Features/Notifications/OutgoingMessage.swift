import Kernel
import Storage

/// The channels of a message.
package enum MessageKind: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
    case email, sms
}

/// A message that somebody is to get, as ``Storage/Transaction/send(_:)`` takes it.
package struct OutgoingMessage: Sendable {
    /// Twilio refuses longer texts (error 21617).
    static let maximumSMSCharacters = 1_600
    /// Of a header line (RFC 5322 §2.1.1).
    static let maximumSubjectBytes = 998
    /// Of an address (RFC 5321 §4.5.3.1).
    static let maximumAddressBytes = 254
    /// What Resend takes as an idempotency key.
    static let maximumKeyBytes = 256

    package var kind: MessageKind
    /// What it tells of, e.g. `booking.confirmed`.
    package var eventType: String
    /// The id of what the event is about: of a message that tells a person of themselves
    /// the person's, by which it is forgotten with them.
    package var aggregateID: String?
    package var recipient: String
    package var subject: String?
    package var text: String
    package var html: String?
    /// What makes two messages one: `event/id/channel`, say. Nothing personal, as
    /// providers log it.
    package var idempotencyKey: String

    package static func email(
        to recipient: String, subject: String, text: String, html: String? = nil, event: String,
        about aggregate: String? = nil, key: String
    ) -> OutgoingMessage {
        OutgoingMessage(
            kind: .email, eventType: event, aggregateID: aggregate, recipient: recipient, subject: subject,
            text: text, html: html, idempotencyKey: key)
    }

    /// - Parameter recipient: in E.164, e.g. `+12125550123`.
    package static func sms(
        to recipient: String, text: String, event: String, about aggregate: String? = nil, key: String
    ) -> OutgoingMessage {
        OutgoingMessage(
            kind: .sms, eventType: event, aggregateID: aggregate, recipient: recipient, subject: nil,
            text: text, html: nil, idempotencyKey: key)
    }

    /// What no provider would take; empty when all is well. Names no recipient in full.
    var problems: [Failure.Field] {
        var problems: [Failure.Field] = []
        func require(_ holds: Bool, _ name: String, _ problem: String) {
            if !holds { problems.append(.init(name, problem)) }
        }
        let isASCIIKey = idempotencyKey.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        require(
            isASCIIKey && (1...Self.maximumKeyBytes).contains(idempotencyKey.utf8.count), "idempotency_key",
            "must be 1 to \(Self.maximumKeyBytes) printable ASCII characters")
        require(!text.isEmpty, "text", "must not be empty")
        let shown = Recipient.masked(recipient)
        switch kind {
        case .email:
            require(Recipient.isAddress(recipient), "recipient", "is not an e-mail address: \(shown)")
            let subject = subject ?? ""
            require(
                (1...Self.maximumSubjectBytes).contains(subject.utf8.count)
                    && !subject.contains(where: \.isNewline), "subject",
                "must be one line of 1 to \(Self.maximumSubjectBytes) bytes")
        case .sms:
            require(Recipient.isNumber(recipient), "recipient", "is not a number in E.164: \(shown)")
            require(
                text.count <= Self.maximumSMSCharacters, "text",
                "must have at most \(Self.maximumSMSCharacters) characters")
        }
        return problems
    }
}
