import JSON
package import Kernel
package import Storage

/// The values of `instructor_profiles.bgc_status`; null means never started.
package enum BackgroundCheckStatus: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable,
    InputEnum
{
    case pending, passed, review, failed, consider, canceled
}

/// One row of `instructor_profiles`.
package struct InstructorProfile: Sendable, RowDecodable {
    package var id: ULID
    package var userID: ULID
    package var isLive: Bool
    /// Since when; nil when not live or not known.
    package var liveSince: Instant?
    package var bgcStatus: BackgroundCheckStatus?
    /// The provider's time of the event that set the status, or ours when we set it.
    package var bgcStatusAt: Instant?
    package var bgcNote: String?
    package var bgcETA: Instant?
    /// The provider's times of the events that set the estimate, the invitation and the identity session.
    var bgcETAAt, invitationAt, identitySessionAt: Instant?
    package var identityVerifiedAt: Instant?
    package var bio: String?
    package var yearsExperience: Int?
    package var minAdvanceBookingHours: Int
    package var bufferTimeMinutes: Int
    /// What the platform keeps of a lesson.
    package var commission: Rate
    package var lastTierEvalAt: Instant?
    package var isFoundingInstructor: Bool
    package var foundingGrantedAt: Instant?
    /// Whether there is an active service.
    package var skillsConfigured: Bool
    /// When they first went live.
    package var onboardingCompletedAt: Instant?
    /// When they gave the profile up; it stays for its history.
    package var closedAt: Instant?
    package var check: CheckDetails
    package var createdAt: Instant
    package var updatedAt: Instant

    package static let columns: SQL = """
        p.id, p.user_id, p.is_live, p.live_since, p.bgc_status, p.bgc_status_at, p.bgc_note, p.bgc_eta, \
        p.bgc_eta_at, p.checkr_invitation_at, p.identity_session_at, p.identity_verified_at, p.bio, \
        p.years_experience, p.min_advance_booking_hours, p.buffer_time_minutes, p.current_tier_pct, \
        p.last_tier_eval_at, p.is_founding_instructor, p.founding_granted_at, p.skills_configured, \
        p.onboarding_completed_at, p.closed_at, p.created_at, p.updated_at, \(CheckDetails.columns)
        """
    /// How many columns that are.
    package static let columnCount = 25 + CheckDetails.columnCount

    package init(row: Row) throws {
        id = try row.get(at: 0)
        userID = try row.get(at: 1)
        isLive = try row.get(at: 2)
        liveSince = try row.get(at: 3)
        bgcStatus = try row.get(at: 4)
        bgcStatusAt = try row.get(at: 5)
        bgcNote = try row.get(at: 6)
        bgcETA = try row.get(at: 7)
        bgcETAAt = try row.get(at: 8)
        invitationAt = try row.get(at: 9)
        identitySessionAt = try row.get(at: 10)
        identityVerifiedAt = try row.get(at: 11)
        bio = try row.get(at: 12)
        yearsExperience = try row.get(at: 13)
        minAdvanceBookingHours = try row.get(at: 14)
        bufferTimeMinutes = try row.get(at: 15)
        commission = Rate(percent: try row.get(at: 16))
        lastTierEvalAt = try row.get(at: 17)
        isFoundingInstructor = try row.get(at: 18)
        foundingGrantedAt = try row.get(at: 19)
        skillsConfigured = try row.get(at: 20)
        onboardingCompletedAt = try row.get(at: 21)
        closedAt = try row.get(at: 22)
        createdAt = try row.get(at: 23)
        updatedAt = try row.get(at: 24)
        check = try CheckDetails(row: row, from: 25)
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> InstructorProfile? {
        try db.one("SELECT \(columns) FROM instructor_profiles p WHERE p.id = \(id)")
    }

    package static func find(user: ULID, _ db: Snapshot) throws -> InstructorProfile? {
        try db.one("SELECT \(columns) FROM instructor_profiles p WHERE p.user_id = \(user)")
    }

    package static func lock(_ id: ULID, _ tx: Transaction) throws -> InstructorProfile? {
        try tx.one("SELECT \(columns) FROM instructor_profiles p WHERE p.id = \(id) \(.forUpdate)")
    }

    package static func lock(user: ULID, _ tx: Transaction) throws -> InstructorProfile? {
        try tx.one("SELECT \(columns) FROM instructor_profiles p WHERE p.user_id = \(user) \(.forUpdate)")
    }

    package static func lock(candidate: String, _ tx: Transaction) throws -> InstructorProfile? {
        try tx.one(
            """
            SELECT \(columns) FROM instructor_profiles p WHERE p.checkr_candidate_id = \(candidate) \(.forUpdate)
            """)
    }

    package var subject: Subject { Subject("instructor", id.description) }
}
