import Kernel
import Storage

/// The letters about a background check.
enum BackgroundCheckMail: String {
    case review = "background_check.review"
    case preAdverse = "background_check.pre_adverse"
    case finalAdverse = "background_check.final_adverse"
    case expiring = "background_check.expiring"

    var subject: String {
        switch self {
        case .review: "Your background check is being reviewed"
        case .preAdverse: "About your background check: notice before a decision"
        case .finalAdverse: "About your background check: our decision"
        case .expiring: "Your background check runs out soon"
        }
    }

    func text(_ name: String) -> String {
        let body =
            switch self {
            case .review:
                "Your background check is complete and one of us is looking at it. You need not do anything; "
                    + "we will write to you when it is decided."
            case .preAdverse:
                "Something in your background report may keep us from letting you teach here. Before we decide, "
                    + "you have five business days to read the report, which Checkr will send you with a summary of "
                    + "your rights under the Fair Credit Reporting Act, and to tell us or Checkr what is wrong in it."
            case .finalAdverse:
                "After the notice that we sent you we have decided not to let you teach here, in whole or in part "
                    + "because of your background report. Checkr made the report and not the decision. You may ask "
                    + "Checkr for a free copy within 60 days and dispute what is wrong in it."
            case .expiring:
                "Your background check runs out within 30 days. Start a new one from your profile; without it "
                    + "students cannot book you any more."
            }
        return "Hello \(name),\n\n\(body)\n\nInstaInstru\n"
    }
}

extension InstructorProfile {
    /// Sends a letter, once for each key; to nobody who was forgotten.
    func mail(_ mail: BackgroundCheckMail, key: String, _ tx: Transaction) throws {
        guard try User.find(userID, tx)?.deletedAt == nil,
            let contact = try InstructorContact.find(userID, tx)
        else { return }
        try tx.send(
            .email(
                to: contact.email, subject: mail.subject, text: mail.text(contact.firstName),
                event: mail.rawValue, about: id.description, key: "\(mail.rawValue)/\(id)/\(key)"))
    }

    /// That somebody looks at the report: one letter for each check.
    func tellOfReview(_ tx: Transaction, _ context: Context) throws {
        if let sent = check.reviewEmailSentAt, sent >= check.invitedAt ?? sent { return }
        try mail(.review, key: check.invitedAt.map { "\($0.microseconds)" } ?? "first", tx)
        try tx.run(
            "UPDATE instructor_profiles SET bgc_review_email_sent_at = \(context.now) WHERE id = \(id)")
    }
}
