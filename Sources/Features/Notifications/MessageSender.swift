package import Kernel
package import Storage

/// The port to whoever sends messages of one kind.
///
/// A call happens outside of transactions and ends in a ``SendOutcome``; a
/// `CancellationError` or anything else that it throws counts as not known.
package struct MessageSender: Sendable {
    /// What is done after a call whose outcome is not known.
    package enum Doubt: Sendable {
        /// The same call again: the provider tells by its key that it is the same message.
        case `repeat`
        /// Ask what became of it before anything is sent.
        case lookUp(@Sendable (OutboxMessage, Clients, KnownIDs) async throws -> LookUp)
    }

    /// Which of the provider's ids are those of other messages.
    package typealias KnownIDs = @Sendable ([String]) async throws -> Set<String>

    /// Stored with the message, e.g. `resend`.
    package var name: String
    /// Who messages are from.
    package var address: String
    package var doubt: Doubt
    package var send: @Sendable (OutboxMessage, Clients) async throws -> SendOutcome
    /// Runs in the transaction that settles a message as sent.
    package var record: @Sendable (OutboxMessage, Transaction, Instant) throws -> Void = { _, _, _ in }

    /// Keeps messages in `mailbox_messages`, where `instainstru mailbox` shows them;
    /// used where no provider is configured.
    package static func mailbox(from address: String) -> MessageSender {
        MessageSender(
            name: "mailbox", address: address, doubt: .repeat, send: { _, _ in .accepted(id: nil) },
            record: { message, tx, now in try MailboxMessage.add(message, tx, now: now) })
    }

    /// The one that the settings choose.
    package static func of(_ kind: MessageKind, _ settings: Configuration) -> MessageSender {
        switch kind {
        case .email:
            let from = settings.emailFrom ?? "InstaInstru <mailbox@localhost>"
            return settings.resendAPIKey.map { resend(apiKey: $0, from: from) } ?? mailbox(from: from)
        case .sms:
            let from = settings.twilioMessagingServiceSID ?? settings.twilioFrom
            guard let account = settings.twilioAccountSID, let token = settings.twilioAuthToken, let from
            else { return mailbox(from: from ?? "InstaInstru") }
            return twilio(account: account, token: token, from: from)
        }
    }
}

/// How one call to a provider ended. Codes are short and hold nothing that names a person.
package enum SendOutcome: Sendable, Hashable {
    case accepted(id: String?)
    /// It was not taken and never will be.
    case refused(code: String)
    /// It was not taken; the provider wants to be asked later.
    case busy(code: String, wait: Duration)
    /// It may have been taken.
    case unknown(reason: String)
}

/// What a provider says about a call whose outcome was not known.
package enum LookUp: Sendable, Hashable {
    case taken(id: String)
    /// It was taken and could not be delivered.
    case refused(code: String, id: String)
    case notTaken
    case undecided(reason: String)
}

// What providers' HTTP answers have in common.
extension MessageSender {
    static let userAgent = (name: "User-Agent", value: "instainstru")
    /// Below ``DeliverEvent/timeout``, with room for a look-up before.
    static let patience = Duration.seconds(15)
    static let maximumBytes = 1 << 20

    /// Asks; a call that got no answer becomes the reason why.
    static func answer(_ request: Clients.HTTPRequest, _ clients: Clients) async throws -> Result<
        Clients.HTTPAnswer, NoAnswer
    > {
        do { return .success(try await clients.send(request)) } catch let problem as Clients.HTTPProblem {
            return .failure(NoAnswer(problem: problem))
        }
    }

    /// The wait that a 429 asks for in whole seconds (RFC 9110 §10.2.3), within reason.
    static func wait(_ answer: Clients.HTTPAnswer, otherwise: Duration) -> Duration {
        guard let seconds = answer.header("Retry-After").flatMap(Int.init) else { return otherwise }
        return .seconds(min(max(seconds, 1), 3_600))
    }

    /// A provider's own name for an error, if it is one: a word or a number.
    static func code(_ status: Int, _ name: String?) -> String {
        let isWord = { (text: String) in
            (1...60).contains(text.utf8.count)
                && text.utf8.allSatisfy { $0 == UInt8(ascii: "_") || UInt8.isAlphanumeric($0) }
        }
        return name.flatMap { isWord($0) ? "\(status) \($0)" : nil } ?? "\(status)"
    }

    /// A provider's id for a message, if it is one: a short word that can be stored and shown.
    static func id(_ text: String?) -> String? {
        guard let text, (1...100).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 == UInt8(ascii: "-") || UInt8.isAlphanumeric($0) })
        else { return nil }
        return text
    }
}

/// Why there was no answer.
struct NoAnswer: Error {
    let problem: Clients.HTTPProblem

    var reason: String {
        switch problem {
        case .invalidURL: "the URL is not valid"
        case .unreachable: "the connection failed"
        case .timedOut: "no answer in time"
        case .tooLarge: "the answer is too long"
        }
    }
}

extension UInt8 {
    fileprivate static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "A")...UInt8(ascii: "Z"):
            true
        default: false
        }
    }
}
