package import Kernel
package import Storage

/// A profile as its owner sees it.
package struct ProfileView: Codable, Sendable {
    package var id: ULID
    package var userID: ULID
    package var bio: String?
    package var yearsExperience: Int?
    package var minAdvanceBookingHours: Int
    package var bufferTimeMinutes: Int
    package var status: OnboardingStatus
    package var isLive: Bool
    /// What is still missing before students can book.
    package var goLiveMissing: [GoLivePrerequisite]
    package var skillsConfigured: Bool
    package var identityVerifiedAt: Instant?
    package var bgcStatus: BackgroundCheckStatus?
    package var bgcValidUntil: Instant?
    package var onboardingCompletedAt: Instant?
    package var isFoundingInstructor: Bool
    /// Percent of a lesson's price that the platform keeps.
    package var currentTierPct: Double
    package var serviceAreas: [ServiceAreaView]
    package var createdAt: Instant
    package var updatedAt: Instant

    /// Four statements, whatever there is.
    package static func load(_ user: ULID, _ db: Snapshot, now: Instant) throws -> ProfileView {
        guard let profile = try InstructorProfile.find(user: user, db), profile.closedAt == nil else {
            throw InstructorProfile.none
        }
        return ProfileView(
            profile, missing: try GoLivePrerequisite.missing(profile, db, now: now),
            areas: try ServiceArea.of(user, db))
    }

    private init(_ profile: InstructorProfile, missing: [GoLivePrerequisite], areas: [ServiceArea]) {
        id = profile.id
        userID = profile.userID
        bio = profile.bio
        yearsExperience = profile.yearsExperience
        minAdvanceBookingHours = profile.minAdvanceBookingHours
        bufferTimeMinutes = profile.bufferTimeMinutes
        status = profile.onboardingStatus
        isLive = profile.isLive
        goLiveMissing = missing
        skillsConfigured = profile.skillsConfigured
        identityVerifiedAt = profile.identityVerifiedAt
        bgcStatus = profile.bgcStatus
        bgcValidUntil = profile.check.validUntil
        onboardingCompletedAt = profile.onboardingCompletedAt
        isFoundingInstructor = profile.isFoundingInstructor
        currentTierPct = profile.commission.percent
        serviceAreas = areas.map(ServiceAreaView.init)
        createdAt = profile.createdAt
        updatedAt = profile.updatedAt
    }
}

extension InstructorProfile {
    /// For who is no instructor, or not any more.
    package static var none: Failure {
        Failure(
            .notFound, "This account has no instructor profile.",
            hint: "POST /api/v1/instructors/me makes one.",
            reason: "profile_not_found")
    }
}
