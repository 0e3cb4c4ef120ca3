import Kernel
import Storage

/// A background check as administrators see it in lists: names yes, addresses masked.
struct CheckCase: Codable, Sendable, RowDecodable {
    var profileID: ULID
    var userID: ULID
    var name: String
    var email: String
    var status: BackgroundCheckStatus?
    var isLive: Bool
    var reportResult: String?
    var includesCanceled: Bool
    var env: String
    var note: String?
    var invitedAt: Instant?
    var completedAt: Instant?
    var validUntil: Instant?
    var eta: Instant?
    var isInDispute: Bool
    var preAdverseSentAt: Instant?
    var finalAdverseSentAt: Instant?
    /// When the final decision is due, where a notice was sent.
    var finalActionDueAt: Instant?

    init(row: Row) throws {
        let found = try InstructorProfile(row: row)
        self.init(found, try InstructorContact(row: row, from: InstructorProfile.columnCount))
    }

    init(_ profile: InstructorProfile, _ contact: InstructorContact) {
        profileID = profile.id
        userID = profile.userID
        name = UntrustedText.cleaned("\(contact.firstName) \(contact.lastName)", maximumCharacters: 101)
        email = Recipient.masked(contact.email)
        status = profile.bgcStatus
        isLive = profile.isLive
        reportResult = profile.check.reportResult
        includesCanceled = profile.check.includesCanceled
        env = profile.check.environment
        note = profile.bgcNote
        invitedAt = profile.check.invitedAt
        completedAt = profile.check.completedAt
        validUntil = profile.check.validUntil
        eta = profile.bgcETA
        isInDispute = profile.check.isInDispute
        preAdverseSentAt = profile.check.noticeSentAt
        finalAdverseSentAt = profile.check.finalAdverseSentAt
        finalActionDueAt = profile.check.finalAdverseSentAt == nil ? AdverseAction.due(profile.check) : nil
    }

    private static let source: SQL = """
        SELECT \(InstructorProfile.columns), \(InstructorContact.columns)
        FROM instructor_profiles p JOIN users u ON u.id = p.user_id WHERE
        """

    /// Newest profiles first, in one statement.
    static func page(_ condition: SQL, after: ULID?, limit: Int, _ db: Snapshot) throws -> [CheckCase] {
        var sql = source + " \(condition)"
        if let after { sql += " AND p.id < \(after)" }
        return try db.all(sql + " ORDER BY p.id DESC LIMIT \(limit)")
    }

    /// The ones that run out first, in one statement.
    static func expiring(before end: Instant, limit: Int, _ db: Snapshot) throws -> [CheckCase] {
        try db.all(
            source + """
                 p.bgc_status = 'passed' AND p.bgc_valid_until <= \(end)
                ORDER BY p.bgc_valid_until, p.id LIMIT \(limit)
                """)
    }

    static func find(_ profile: ULID, _ db: Snapshot) throws -> CheckCase {
        guard let found: CheckCase = try db.one(source + " p.id = \(profile)") else {
            throw InstructorProfile.missing(profile)
        }
        return found
    }
}

/// How many checks are in which state, in one statement over an index.
struct CheckCounts: Codable, Sendable {
    var byStatus: [String: Int]
    /// Those that wait for somebody to look: `review` and `consider`.
    var needsReview: Int

    init(_ db: Snapshot) throws {
        byStatus = Dictionary(uniqueKeysWithValues: BackgroundCheckStatus.allCases.map { ($0.rawValue, 0) })
        let rows = try db.rows(
            """
            SELECT bgc_status, COUNT(*) FROM instructor_profiles WHERE bgc_status IS NOT NULL
            GROUP BY bgc_status
            """)
        for row in rows { byStatus[try row.get(at: 0)] = try row.get(at: 1, as: Int.self) }
        needsReview = byStatus["review", default: 0] + byStatus["consider", default: 0]
    }
}
