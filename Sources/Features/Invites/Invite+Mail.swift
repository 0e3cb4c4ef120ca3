package import Kernel
package import Storage

/// The words of the mail that brings an invite.
package struct InviteMail: Sendable {
    package static let subject = "Your invitation to teach on InstaInstru"

    /// Where the code is entered, with the code in it.
    package static func joinURL(_ code: String, _ configuration: Configuration) -> String {
        let base = configuration.publicURL ?? "http://127.0.0.1:8000"
        return "\(base.hasSuffix("/") ? String(base.dropLast()) : base)/instructor/join?code=\(code)"
    }

    static func text(_ invite: Invite, _ configuration: Configuration) -> String {
        var lines = ["You are invited to teach on InstaInstru."]
        if let note = invite.note { lines += ["", UntrustedText.cleaned(note, maximumCharacters: 500)] }
        lines += ["", "Your code: \(invite.code)", joinURL(invite.code, configuration)]
        if invite.grantsFounding {
            lines += ["", "It makes you a founding instructor while founding places last."]
        }
        if let end = invite.expiresAt {
            lines += ["", "It is valid until \(end.description.prefix(10)) (UTC)."]
        }
        return lines.joined(separator: "\n")
    }
}

extension Invite {
    /// Puts the mail into the outbox and notes when. Sending an invite again sends
    /// nothing: the mail has one key for ever.
    ///
    /// - Throws: ``Kernel/Failure/Code/invalidInput`` without an address that a mail can go to.
    package func send(_ tx: Transaction, _ context: Context) throws {
        guard let email else {
            throw Failure.invalid([.init("email", "is required to send the invite")])
        }
        try tx.send(
            .email(
                to: email, subject: InviteMail.subject, text: InviteMail.text(self, context.configuration),
                event: "invite.sent", about: id.description, key: "invite/\(id)/email"))
        try tx.run("UPDATE beta_invites SET sent_at = \(context.now) WHERE id = \(id)")
        try audit("invite.send", tx)
    }

    /// Makes and sends one invite for each address; an address that no mail can go
    /// to is left out and named.
    package static func send(
        _ wanted: [NewInvite], _ tx: Transaction, _ context: Context
    ) throws -> (sent: [Invite], failed: [String]) {
        let good = wanted.filter { Recipient.isAddress($0.email ?? "") }
        let bad = wanted.filter { !Recipient.isAddress($0.email ?? "") }
        let made = try create(good, tx, context)
        for invite in made { try invite.send(tx, context) }
        return (made, bad.compactMap(\.email))
    }
}
