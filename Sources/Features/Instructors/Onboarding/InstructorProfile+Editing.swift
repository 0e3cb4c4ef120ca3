import JSON
package import Kernel
package import Storage

/// What an instructor may say of themselves; nil leaves it as it is.
package struct ProfileEdits: Sendable, Hashable {
    package var bio: String?
    package var yearsExperience: Int?
    package var minAdvanceBookingHours: Int?
    package var bufferTimeMinutes: Int?

    package init(
        bio: String? = nil, yearsExperience: Int? = nil, minAdvanceBookingHours: Int? = nil,
        bufferTimeMinutes: Int? = nil
    ) {
        self.bio = bio
        self.yearsExperience = yearsExperience
        self.minAdvanceBookingHours = minAdvanceBookingHours
        self.bufferTimeMinutes = bufferTimeMinutes
    }
}

extension InstructorProfile {
    /// Of a profile that is made by registration.
    package static let firstAdvanceHours = 1
    package static let firstBufferMinutes = 15

    /// Makes the profile of a new instructor, with the event `registered`.
    @discardableResult
    package static func create(_ user: ULID, _ tx: Transaction, _ context: Context) throws -> ULID {
        let id = context.newID()
        try tx.run(
            """
            INSERT INTO instructor_profiles (id, user_id, is_live, min_advance_booking_hours, buffer_time_minutes, \
            current_tier_pct, created_at, updated_at)
            VALUES (\(id), \(user), \(false), \(firstAdvanceHours), \(firstBufferMinutes), \
            \(try PricingConfig.current(tx).entryRate.percent), \(context.now), \(context.now))
            """)
        try LifecycleEvent.registered.record(user, tx, context)
        try tx.audit(
            "instructor.create", Subject("instructor", id.description),
            changes: ["user_id": ["old": .null, "new": .string(user.description)]])
        return id
    }

    /// Takes over what the instructor says; the profile is locked. Once bio and years
    /// are there, the event `profile_submitted` is written.
    package func edit(_ edits: ProfileEdits, _ tx: Transaction, _ context: Context) throws {
        let next = ProfileEdits(
            bio: edits.bio ?? bio, yearsExperience: edits.yearsExperience ?? yearsExperience,
            minAdvanceBookingHours: edits.minAdvanceBookingHours ?? minAdvanceBookingHours,
            bufferTimeMinutes: edits.bufferTimeMinutes ?? bufferTimeMinutes)
        let present = ProfileEdits(
            bio: bio, yearsExperience: yearsExperience, minAdvanceBookingHours: minAdvanceBookingHours,
            bufferTimeMinutes: bufferTimeMinutes)
        if next != present {
            try tx.run(
                """
                UPDATE instructor_profiles SET bio = \(next.bio), years_experience = \(next.yearsExperience), \
                min_advance_booking_hours = \(next.minAdvanceBookingHours ?? minAdvanceBookingHours), \
                buffer_time_minutes = \(next.bufferTimeMinutes ?? bufferTimeMinutes), updated_at = \(context.now)
                WHERE id = \(id)
                """)
            try tx.audit("instructor.update", subject, changes: changes(from: present.json, to: next.json))
        }
        if next.bio != nil, next.yearsExperience != nil {
            try LifecycleEvent.profileSubmitted.record(userID, tx, context)
        }
    }

    /// Gives the profile up. It stays for the history of its checks and bookings, shows
    /// nothing any more, and can be taken up again.
    package func close(_ tx: Transaction, _ context: Context) throws {
        try setLive(false, as: "instructor.close", tx, context)
        try tx.runMany([
            """
            UPDATE instructor_profiles SET closed_at = \(context.now), bio = \(String?.none), \
            years_experience = \(Int?.none), skills_configured = \(false), updated_at = \(context.now)
            WHERE id = \(id)
            """,
            """
            UPDATE instructor_services SET is_active = \(false), updated_at = \(context.now)
            WHERE instructor_profile_id = \(id) AND is_active
            """,
            """
            UPDATE instructor_service_areas SET is_active = \(false), updated_at = \(context.now)
            WHERE instructor_id = \(userID) AND is_active
            """,
        ])
        try tx.audit(
            "instructor.delete", subject,
            changes: ["closed_at": ["old": .null, "new": .string(context.now.description)]])
    }

    /// Takes a closed profile up again.
    package func reopen(_ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE instructor_profiles SET closed_at = \(Instant?.none), updated_at = \(context.now)
            WHERE id = \(id)
            """)
        try tx.audit(
            "instructor.create", subject,
            changes: ["closed_at": ["old": closedAt.map { .string($0.description) } ?? .null, "new": .null]])
    }
}

extension ProfileEdits {
    fileprivate var json: JSONObject {
        [
            "bio": bio.map { .string($0) } ?? .null,
            "years_experience": yearsExperience.map { .int($0) } ?? .null,
            "min_advance_booking_hours": minAdvanceBookingHours.map { .int($0) } ?? .null,
            "buffer_time_minutes": bufferTimeMinutes.map { .int($0) } ?? .null,
        ]
    }
}
