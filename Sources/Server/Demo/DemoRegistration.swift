import Features
import JSON
import Kernel
import Storage

/// Somebody of the demo who registers, and what they do on their first day.
struct Registration: Sendable {
    /// What an instructor brings.
    struct Offer: Sendable {
        var services: [ULID]
        var cents: Int
        var years: Int
        /// Days from today with free time.
        var days: [Int]
        var window: DayWindow
        var regions: [ULID]
        var candidate: String
        var account: String
        var isVerified: Bool
        /// Whether they say who they are and what they teach.
        var isComplete: Bool
    }

    var number: Int
    var draft: User.Draft
    var offer: Offer?

    /// The steps of a real registration, without the mail.
    func register(code: String?, _ tx: Transaction, _ context: Context) throws -> (
        instructor: DemoMarket.Instructor?, student: ULID?
    ) {
        let role: UserRole = offer == nil ? .student : .instructor
        guard let user = try User.create(draft, roles: [role], tx, context) else {
            throw Failure(.conflict, "The demo made somebody twice.")
        }
        try tx.audit("user.create", user.subject, metadata: ["role": .string(role.rawValue)])
        guard let offer else { return (nil, user.id) }
        let account = NewAccount(user: user, email: draft.email, role: role, inviteCode: code)
        for step in Feature.registrationSteps { try step(account, tx, context) }
        guard let profile = try InstructorProfile.lock(user: user.id, tx) else { return (nil, nil) }
        if offer.isComplete { try complete(offer, profile, user.id, tx, context) }
        try begin(offer, profile.id, tx, context)
        let made = DemoMarket.Instructor(
            profile: profile.id, user: user.id, candidate: offer.candidate, account: offer.account)
        return (made, nil)
    }

    private func complete(
        _ offer: Offer, _ profile: InstructorProfile, _ user: ULID, _ tx: Transaction, _ context: Context
    ) throws {
        try profile.edit(
            ProfileEdits(bio: "I teach what I love.", yearsExperience: offer.years), tx, context)
        let services = offer.services.map { id in
            var service = ServiceOffer()
            service.serviceCatalogID = id
            service.hourlyRate = DollarAmount(cents: offer.cents)
            return service
        }
        try InstructorService.set(services: services, profile: profile.id, tx, context)
        try ServiceArea.replace(
            offer.regions.map { (neighborhood: $0, coverage: .primary, maxDistanceMiles: nil) }, of: user, tx,
            context)
        let calendar = try AvailabilityCalendar.lock(user, tx, context)
        var days: [CalendarDay: DayBits] = [:]
        for day in offer.days { days[calendar.today.adding(days: day)] = DayBits([offer.window]) }
        try calendar.store(days, over: [:], tx, context)
    }

    /// The accounts that providers keep of an instructor, as a step of their own would make them.
    private func begin(_ offer: Offer, _ id: ULID, _ tx: Transaction, _ context: Context) throws {
        try tx.runMany([
            """
            UPDATE instructor_profiles SET checkr_candidate_id = \(offer.candidate), \
            bgc_invited_at = \(context.now) WHERE id = \(id)
            """,
            """
            INSERT INTO stripe_connected_accounts (id, instructor_profile_id, stripe_account_id, \
            onboarding_completed, created_at, updated_at) VALUES (\(context.newID()), \(id), \(offer.account), \
            \(false), \(context.now), \(context.now))
            """,
        ])
        guard let profile = try InstructorProfile.lock(id, tx) else { return }
        try profile.check(.pending, at: context.now, tx, context)
        guard offer.isVerified, let checked = try InstructorProfile.lock(id, tx) else { return }
        try checked.identity(session: "vs_demo_\(id)", isVerified: true, at: context.now, tx, context)
    }
}
