import JSON
import Kernel
import Storage

/// Keeps that an instructor agreed to be checked.
struct ConsentToCheck: Command {
    static let name = "bgc_consent_give"
    static let summary =
        "Keep that the instructor agreed to a background check; needed within 24 hours of it."
    static let effect = Effect.additive
    static let audience = Audience.users
    static let route = Route.post("instructors/:id/bgc/consent")
    static let action = "instructor.bgc_consent_give"

    @Input("The profile's id.") var id: ULID
    @Input("Which text of the consent was shown.", .length(1...50)) var consentVersion: String
    @Input("Which text of the disclosure was shown.", .length(1...50)) var disclosureVersion: String
    @Input("The program it was shown in; the call's own when left out.", .length(1...500)) var userAgent:
        String?
    var subject: Subject? { Subject("instructor", id.description) }

    struct Output: Codable, Sendable {
        var consentID: ULID
        var consentedAt: Instant
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let profile = try InstructorProfile.lockAccessible(id, tx, context)
        // Consent is the instructor's own; nobody gives it for them.
        guard profile.userID == (try context.userID()) else {
            throw Failure(.forbidden, "Only the instructor can consent.", reason: "not_the_instructor")
        }
        let consent = context.newID()
        let agent = userAgent ?? context.userAgent.map { String($0.prefix(500)) }
        try tx.run(
            """
            INSERT INTO bgc_consent (id, instructor_id, consented_at, consent_version, disclosure_version, ip_address, \
            user_agent)
            VALUES (\(consent), \(id), \(context.now), \(consentVersion), \(disclosureVersion), \(context.ip), \
            \(agent))
            """)
        try tx.audit(
            "instructor.bgc_consent", profile.subject,
            changes: [
                "consent_version": ["old": .null, "new": .string(consentVersion)],
                "disclosure_version": ["old": .null, "new": .string(disclosureVersion)],
            ])
        return Output(consentID: consent, consentedAt: context.now)
    }
}
