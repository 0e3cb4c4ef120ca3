package import JSON
package import Kernel
package import Storage

/// Where mail and SMS for a person go; nil where there is nothing to send to.
package struct ContactDetails: Sendable {
    package var email: String?
    /// A number that was verified, in E.164.
    package var phone: String?
    package init(email: String?, phone: String?) { (self.email, self.phone) = (email, phone) }
}

extension Transaction {
    /// Tells a person something: always in their list, and by mail and SMS where
    /// they want the category so. All of it exists if and only if the transaction commits.
    ///
    /// - Parameters:
    ///   - type: what happened, e.g. `booking.confirmed`; the event of the messages.
    ///   - title: one line; the subject of a mail.
    ///   - key: what makes two messages one, where it is not the notification itself.
    ///   - data: ids that a client needs to open what it is about; nothing personal.
    /// - Returns: the notification's id.
    @discardableResult
    package func notify(
        user: ULID, category: NotificationCategory, type: String, title: String, body: String,
        key: String? = nil, data: JSONObject = [:]
    ) throws -> ULID {
        let context = try unit.context
        let id = context.newID()
        let json = data.isEmpty ? nil : JSONValue.object(data).text
        try run(
            """
            INSERT INTO notifications (id, user_id, category, type, title, body, data, created_at)
            VALUES (\(id), \(user), \(category.rawValue), \(type), \(title), \(body), \(json), \(context.now))
            """)
        let preferences = try NotificationPreferences.of(user, self)
        let (byEmail, bySMS) = (preferences.isOn(category, .email), preferences.isOn(category, .sms))
        guard byEmail || bySMS, let contact = try ContactDetails.of(user, self) else { return id }
        let key = key ?? "notification/\(id)"
        // About the person: what went to a number they no longer have is found by their id.
        let line = title.split(whereSeparator: \.isNewline).joined(separator: " ")
        if byEmail, let email = contact.email {
            try send(
                .email(
                    to: email, subject: line, text: body, event: type, about: user.description,
                    key: "\(key)/email"))
        }
        if bySMS, let phone = contact.phone {
            let text = String("\(line): \(body)".prefix(OutgoingMessage.maximumSMSCharacters))
            try send(
                .sms(
                    to: phone, text: text, event: type, about: user.description, key: "\(key)/sms"))
        }
        return id
    }
}

extension ContactDetails {
    /// What a person has told us; nil for one whose account is gone.
    static func of(_ user: ULID, _ db: Snapshot) throws -> ContactDetails? {
        guard let user = try User.find(user, db), user.deletedAt == nil else { return nil }
        return ContactDetails(email: user.email, phone: user.isPhoneVerified ? user.phone : nil)
    }
}
