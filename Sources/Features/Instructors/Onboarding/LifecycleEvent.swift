package import JSON
package import Kernel
package import Storage

/// The values of `instructor_lifecycle_events.event_type`: the seven stages of the
/// funnel in their order, then what may happen any number of times.
package enum LifecycleEvent: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable, InputEnum {
    case registered
    case profileSubmitted = "profile_submitted"
    case servicesConfigured = "services_configured"
    case bgcInitiated = "bgc_initiated"
    case bgcCompleted = "bgc_completed"
    case identityVerified = "identity_verified"
    case wentLive = "went_live"
    case paused, reactivated

    /// The stages of the funnel.
    package static let stages = Array(allCases.prefix(7))

    package var isStage: Bool { Self.stages.contains(self) }

    /// Writes the event now.
    ///
    /// A stage is written only if it comes after the furthest stage that the user
    /// has reached, so nobody reaches one twice or goes back. The caller holds the
    /// user's profile locked.
    /// - Returns: whether it was written.
    @discardableResult
    package func record(_ user: ULID, metadata: JSONObject? = nil, _ tx: Transaction, _ context: Context)
        throws
        -> Bool
    {
        let id = context.newID()
        let later = isStage ? Self.stages.drop { $0 != self }.map(\.rawValue) : []
        return try tx.run(
            """
            INSERT INTO instructor_lifecycle_events (id, user_id, event_type, occurred_at, metadata, created_at)
            SELECT \(id), \(user), \(self), \(context.now), \(metadata?.description), \(context.now)
            WHERE NOT EXISTS (SELECT 1 FROM instructor_lifecycle_events
                WHERE user_id = \(user) AND event_type \(in: later))
            ON CONFLICT DO NOTHING
            """
        ).affected > 0
    }
}

/// How far an instructor is, as every view of them says it.
package enum OnboardingStatus: String, Sendable, CaseIterable, Codable, InputEnum {
    case live, paused, onboarding, registered
}

extension InstructorProfile {
    /// The first rule that holds (domain specification §3.1).
    package var onboardingStatus: OnboardingStatus {
        if isLive { return .live }
        if onboardingCompletedAt != nil { return .paused }
        return skillsConfigured || bgcStatus != nil ? .onboarding : .registered
    }

    /// The same as a condition on rows of `instructor_profiles`.
    package static func condition(_ status: OnboardingStatus, _ prefix: SQL = "") -> SQL {
        switch status {
        case .live: "\(prefix)is_live"
        case .paused: "NOT \(prefix)is_live AND \(prefix)onboarding_completed_at IS NOT NULL"
        case .onboarding:
            """
            NOT \(prefix)is_live AND \(prefix)onboarding_completed_at IS NULL \
            AND (\(prefix)skills_configured OR \(prefix)bgc_status IS NOT NULL)
            """
        case .registered:
            """
            NOT \(prefix)is_live AND \(prefix)onboarding_completed_at IS NULL \
            AND NOT \(prefix)skills_configured AND \(prefix)bgc_status IS NULL
            """
        }
    }
}
