package import Kernel
package import Storage

/// What an instructor needs before students can book them.
package enum GoLivePrerequisite: String, Sendable, CaseIterable, Codable {
    case skills, identity
    case stripeConnect = "stripe_connect"
    case backgroundCheck = "background_check"

    /// What is missing, in words for the instructor.
    package var remedy: String {
        switch self {
        case .skills: "needs at least one active service"
        case .identity: "needs a verified identity"
        case .stripeConnect: "needs a payout account whose onboarding is complete"
        case .backgroundCheck: "needs a passed background check that has not run out"
        }
    }

    /// Those that the instructor lacks now, in their order; two statements.
    package static func missing(_ profile: InstructorProfile, _ db: Snapshot, now: Instant) throws -> [Self] {
        var missing: [Self] = []
        if try !InstructorProfile.hasActiveService(profile.id, db) { missing.append(.skills) }
        if profile.identityVerifiedAt == nil { missing.append(.identity) }
        if try !InstructorProfile.canBePaid(profile.userID, db) { missing.append(.stripeConnect) }
        let isCurrent = profile.check.validUntil.map { $0 > now } ?? true
        if profile.bgcStatus != .passed || !isCurrent { missing.append(.backgroundCheck) }
        return missing
    }

    /// - Throws: ``Kernel/Failure`` with the reason `GO_LIVE_PREREQUISITES` and the list as its fields.
    package static func require(_ profile: InstructorProfile, _ db: Snapshot, now: Instant) throws {
        let missing = try missing(profile, db, now: now)
        guard !missing.isEmpty else { return }
        let list = missing.map(\.rawValue).joined(separator: ", ")
        var failure = Failure(
            .conflict, "These prerequisites are missing: \(list).", reason: "GO_LIVE_PREREQUISITES")
        failure.fields = missing.map { .init($0.rawValue, $0.remedy) }
        throw failure
    }
}

extension InstructorProfile {
    package static func hasActiveService(_ profile: ULID, _ db: Snapshot) throws -> Bool {
        let count: Int? = try db.value(
            """
            SELECT COUNT(*) FROM (SELECT 1 AS one FROM instructor_services
                WHERE instructor_profile_id = \(profile) AND is_active LIMIT 1) AS services
            """)
        return (count ?? 0) > 0
    }

    /// Whether money can go to a user: they are an instructor whose connected account is
    /// complete and still ours.
    package static func canBePaid(_ user: ULID, _ db: Snapshot) throws -> Bool {
        try db.value(
            """
            SELECT 1 FROM stripe_connected_accounts AS a
            JOIN instructor_profiles AS p ON p.id = a.instructor_profile_id
            WHERE p.user_id = \(user) AND a.onboarding_completed AND a.deauthorized_at IS NULL
            """, as: Int.self) != nil
    }

    /// Takes over whether there is an active service, after services changed; the
    /// profile is locked. The first one is an event of the funnel.
    package func noteServices(_ tx: Transaction, _ context: Context) throws {
        let hasOne = try Self.hasActiveService(id, tx)
        guard hasOne != skillsConfigured else { return }
        try tx.run(
            """
            UPDATE instructor_profiles SET skills_configured = \(hasOne), updated_at = \(context.now)
            WHERE id = \(id)
            """)
        if hasOne { try LifecycleEvent.servicesConfigured.record(userID, tx, context) }
    }
}
