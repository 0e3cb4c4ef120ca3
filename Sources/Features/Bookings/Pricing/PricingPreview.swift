import Kernel
import Storage

/// What a lesson costs and who gets what of it, as people see it (domain specification §2.6).
package struct PricingPreview: Codable, Sendable {
    package struct LineItem: Codable, Sendable {
        package var label: String
        /// Below zero for what is taken off.
        package var amountCents: Int
    }

    package var basePriceCents: Int
    package var studentFeeCents: Int
    package var creditAppliedCents: Int
    package var studentPayCents: Int
    package var instructorPlatformFeeCents: Int
    package var targetInstructorPayoutCents: Int
    package var applicationFeeCents: Int
    package var topUpTransferCents: Int
    /// A share of one.
    package var instructorTierPct: Rate
    /// What the student pays, part by part.
    package var lineItems: [LineItem]

    package init(_ price: LessonPrice) {
        basePriceCents = price.base
        studentFeeCents = price.studentFee
        creditAppliedCents = price.credit
        studentPayCents = price.studentPay
        instructorPlatformFeeCents = price.instructorFee
        targetInstructorPayoutCents = price.payout
        applicationFeeCents = price.applicationFee
        topUpTransferCents = price.topUp
        instructorTierPct = price.commission
        lineItems = [
            LineItem(label: "Lesson", amountCents: price.base),
            LineItem(label: "Booking protection", amountCents: price.studentFee),
        ]
        if price.credit > 0 { lineItems.append(LineItem(label: "Credit", amountCents: -price.credit)) }
    }

    /// As it would be now, for somebody with these credits.
    static func estimate(
        base: Int, instructor: ULID, available: Int, _ db: Snapshot, _ context: Context
    ) throws -> PricingPreview {
        let config = try PricingConfig.current(db)
        let commission = try CommissionTier.current(
            instructor: instructor, isPricingUncompleted: true, config, db, context)
        return PricingPreview(
            LessonPrice(base: base, available: available, commission: commission, config))
    }
}

extension Credit {
    /// What may be used for a lesson now; nothing while a dispute is open.
    static func usable(_ student: ULID, _ db: Snapshot, _ context: Context) throws -> Int {
        guard try User.find(student, db)?.isCreditFrozen == false else { return 0 }
        return try available(student, now: context.now, db)
    }
}

/// What a lesson would cost.
struct PreviewPricing: Query {
    static let name = "pricing_preview"
    static let summary = "What a lesson would cost the signed-in person, before it is booked."
    static let audience = Audience.users
    // What is asked may hold an address, which does not belong into a path.
    static let route = Route.post("pricing/preview")

    @Input("The instructor's user id.") var instructorID: ULID
    @Input("The service, one of the instructor's.") var instructorServiceID: ULID
    @Input("Minutes, one of the service's duration_options.", .range(15...720)) var selectedDuration: Int
    @Input("Where it takes place.") var locationType = LessonLocation.online
    @Input("Cents of credits to use; all there are when left out.", .range(0...10_000_000))
    var appliedCreditCents: Int?

    typealias Output = PricingPreview

    func run(_ db: Reader, _ context: Context) async throws -> PricingPreview {
        let (user, instructor, id, wanted) = (
            try context.userID(), instructorID, instructorServiceID, appliedCreditCents
        )
        let (minutes, isInPerson) = (selectedDuration, locationType.isInPerson)
        return try await db.read { db in
            guard let service = try InstructorService.find(id, db), service.isActive,
                try BookedInstructor.find(instructor, db)?.profileID == service.profileID
            else {
                throw Failure(
                    .notFound, "The instructor offers no service with the id \(id).",
                    reason: "service_not_found")
            }
            let base = try PricingConfig.current(db).price(
                hourlyRateCents: service.hourlyRateCents, minutes: minutes, isInPerson: isInPerson)
            let usable = try Credit.usable(user, db, context)
            return try PricingPreview.estimate(
                base: base, instructor: instructor, available: min(wanted ?? usable, usable), db, context)
        }
    }
}

/// What a booking costs.
struct ShowBookingPricing: Query {
    static let name = "booking_pricing"
    static let summary = "What a booking costs: as it was fixed, or as it would be now."
    static let audience = Audience.users
    static let route = Route.get("bookings/:id/pricing")

    @Input("The booking's id.") var id: ULID
    var subject: Subject? { Subject("booking", id.description) }

    typealias Output = PricingPreview

    func run(_ db: Reader, _ context: Context) async throws -> PricingPreview {
        let (user, id) = (try context.userID(), id)
        return try await db.read { db in
            let booking = try BookingDetails.find(id, of: user, db).booking
            if let fixed = try BookingPayment.of(id, db)?.price { return PricingPreview(fixed) }
            return try PricingPreview.estimate(
                base: booking.priceCents, instructor: booking.instructorID,
                // What the student has is nobody else's affair.
                available: user == booking.studentID ? try Credit.usable(user, db, context) : 0, db, context)
        }
    }
}
