import Features
import JSON
import Kernel
import Storage

/// The local mailbox, for somebody at a terminal.
package enum MailboxText {
    /// Messages, the newest first; as a table, or as JSON with all of each.
    ///
    /// - Parameter recipient: only those to exactly this address or number.
    package static func list(_ platform: Platform, limit: Int, to recipient: String?, json: Bool) async throws
        -> String
    {
        guard (1...1_000).contains(limit) else {
            throw Failure.invalid([.init("limit", "must be a number from 1 to 1000, not \(limit)")])
        }
        let messages = try await platform.database.read { try MailboxMessage.list(limit, to: recipient, $0) }
        if json { return pretty(.array(try messages.map { try JSONCoding.value($0) })) }
        return ReadableTable.text(
            columns: ["id", "at", "kind", "event", "to", "subject or text"],
            rows: messages.map {
                [
                    $0.id.description, $0.createdAt.description, $0.kind.rawValue, line($0.eventType),
                    line($0.recipient), line($0.subject ?? $0.text),
                ]
            })
    }

    /// One message in full. Throws ``Kernel/Failure`` when the mailbox does not have it.
    package static func show(_ platform: Platform, id text: String, json: Bool) async throws -> String {
        guard let id = ULID(text) else {
            throw Failure.invalid([.init("id", "must be a ULID, not '\(text.prefix(40))'")])
        }
        guard let message = try await platform.database.read({ try MailboxMessage.find(id, $0) }) else {
            throw Failure(
                .notFound, "There is no message \(id) in the mailbox.",
                hint: "`instainstru mailbox` lists what there is.")
        }
        if json { return pretty(try JSONCoding.value(message)) }
        var lines = [
            "id: \(message.id)", "at: \(message.createdAt)", "event: \(line(message.eventType))",
            "from: \(line(message.sender))", "to: \(line(message.recipient))",
        ]
        if let subject = message.subject { lines.append("subject: \(line(subject))") }
        lines += ["", UntrustedText.cleaned(message.text)]
        if let html = message.html { lines += ["", "html:", UntrustedText.cleaned(html)] }
        return lines.joined(separator: "\n")
    }

    private static func pretty(_ value: JSONValue) -> String {
        String(decoding: UntrustedText.cleaned(value).encoded(pretty: true), as: UTF8.self)
    }

    /// Names and words of users are in it, so nothing of it may steer a terminal.
    private static func line(_ text: String) -> String {
        UntrustedText.cleaned(text.replacing("\n", with: " "), maximumCharacters: 60)
    }
}
