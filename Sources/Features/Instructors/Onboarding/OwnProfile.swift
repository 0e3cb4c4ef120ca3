package import Kernel
package import Storage

/// The caller's own profile.
struct ShowMyProfile: Query {
    static let name = "my_instructor_profile_show"
    static let summary = "The caller's instructor profile, and what is missing before students can book."
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.get("instructors/me")
    static let action = "instructor.view_own"
    typealias Output = ProfileView

    func run(_ db: Reader, _ context: Context) async throws -> ProfileView {
        let (user, now) = (try context.userID(), context.now)
        return try await db.read { try ProfileView.load(user, $0, now: now) }
    }
}

/// Makes the caller's profile, or takes up one that was given up.
struct CreateMyProfile: Command {
    static let name = "my_instructor_profile_create"
    static let summary = "Make the caller's instructor profile, or take up the one that was given up."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.post("instructors/me")
    static let creates = true
    static let action = "instructor.profile_create"

    @Input("What students read about the instructor.", .length(1...5_000)) var bio: String?
    @Input("Years of teaching.", .range(0...80)) var yearsExperience: Int?
    @Input("Hours between a booking and its lesson at least.", .range(0...168)) var minAdvanceBookingHours:
        Int?
    @Input("Minutes kept free between two lessons.", .range(0...60)) var bufferTimeMinutes: Int?
    typealias Output = ProfileView

    func run(_ tx: Transaction, _ context: Context) throws -> ProfileView {
        let user = try context.userID()
        if let profile = try InstructorProfile.lock(user: user, tx) {
            guard profile.closedAt != nil else {
                throw Failure(
                    .conflict, "This account has an instructor profile already.",
                    hint: "PUT /api/v1/instructors/me changes it.", reason: "profile_exists")
            }
            try profile.reopen(tx, context)
        } else {
            try InstructorProfile.create(user, tx, context)
        }
        let edits = ProfileEdits(
            bio: bio, yearsExperience: yearsExperience, minAdvanceBookingHours: minAdvanceBookingHours,
            bufferTimeMinutes: bufferTimeMinutes)
        try InstructorProfile.own(tx, context).edit(edits, tx, context)
        return try ProfileView.load(user, tx, now: context.now)
    }
}

/// Changes what the caller says of themselves, and where they teach.
struct UpdateMyProfile: Command {
    static let name = "my_instructor_profile_update"
    static let summary = "Change the caller's instructor profile; what is left out stays as it is."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.put("instructors/me")
    static let action = "instructor.profile_update"

    @Input("What students read about the instructor.", .length(1...5_000)) var bio: String?
    @Input("Years of teaching.", .range(0...80)) var yearsExperience: Int?
    @Input("Hours between a booking and its lesson at least.", .range(0...168)) var minAdvanceBookingHours:
        Int?
    @Input("Minutes kept free between two lessons.", .range(0...60)) var bufferTimeMinutes: Int?
    @Input("Where the instructor teaches, all of it.", .count(0...100)) var areas: [ServiceAreaInput]?
    @Input("What the instructor teaches, all of it.", .count(0...50)) var services: [ServiceOffer]?
    typealias Output = ProfileView

    func run(_ tx: Transaction, _ context: Context) throws -> ProfileView {
        let profile = try InstructorProfile.own(tx, context)
        let edits = ProfileEdits(
            bio: bio, yearsExperience: yearsExperience, minAdvanceBookingHours: minAdvanceBookingHours,
            bufferTimeMinutes: bufferTimeMinutes)
        try profile.edit(edits, tx, context)
        if let areas { try ServiceArea.replace(areas.map(\.value), of: profile.userID, tx, context) }
        if let services { try InstructorService.set(services: services, profile: profile.id, tx, context) }
        return try ProfileView.load(profile.userID, tx, now: context.now)
    }
}

/// Gives the caller's profile up.
struct DeleteMyProfile: Command {
    static let name = "my_instructor_profile_delete"
    static let summary = "Give the caller's instructor profile up; refused while lessons are booked."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.delete("instructors/me")
    static let action = "instructor.profile_delete"

    struct Output: Codable, Sendable {
        var profileID: ULID
        var closedAt: Instant
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let profile = try InstructorProfile.own(tx, context)
        try profile.requireNoFutureBookings(tx, now: context.now)
        try profile.close(tx, context)
        return Output(profileID: profile.id, closedAt: context.now)
    }
}

/// Lets students book the caller.
struct GoLive: Command {
    static let name = "my_instructor_profile_go_live"
    static let summary = "Let students book the caller; refused with a list while prerequisites are missing."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.post("instructors/me/go-live")
    static let action = "instructor.profile_go_live"
    typealias Output = ProfileView

    func run(_ tx: Transaction, _ context: Context) throws -> ProfileView {
        let profile = try InstructorProfile.own(tx, context)
        guard let user = try User.find(profile.userID, tx), user.accountStatus == .active else {
            throw Failure(
                .conflict, "The account is not active.", hint: "POST /api/v1/account/reactivate makes it so.",
                reason: "account_not_active")
        }
        try GoLivePrerequisite.require(profile, tx, now: context.now)
        try profile.setLive(true, as: "instructor.go_live", tx, context)
        return try ProfileView.load(profile.userID, tx, now: context.now)
    }
}

extension InstructorProfile {
    /// The caller's own, locked.
    package static func own(_ tx: Transaction, _ context: Context) throws -> InstructorProfile {
        guard let profile = try lock(user: try context.userID(), tx), profile.closedAt == nil else {
            throw none
        }
        return profile
    }

    /// - Throws: ``Kernel/Failure`` with the reason `future_bookings` while a lesson is booked
    ///   that is not over; one without a time counts as not over.
    package func requireNoFutureBookings(_ db: Snapshot, now: Instant) throws {
        let first: ULID? = try db.value(
            """
            SELECT id FROM bookings WHERE instructor_id = \(userID) AND status IN ('PENDING', 'CONFIRMED')
            AND (booking_end_utc IS NULL OR booking_end_utc > \(now)) ORDER BY id LIMIT 1
            """)
        guard first != nil else { return }
        throw Failure(
            .conflict, "Lessons are booked with this instructor.",
            hint: "Give or cancel the booked lessons first.", reason: "future_bookings")
    }
}
