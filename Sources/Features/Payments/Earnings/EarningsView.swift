import Kernel
import Storage

/// What one lesson earned its instructor.
struct EarningView: Codable, Sendable {
    var bookingID: ULID
    var serviceName: String
    var studentName: String
    var lessonStartUTC: Instant
    var durationMinutes: Int
    var status: BookingStatus
    var paymentStatus: PaymentStatus?
    var lessonPriceCents: Int
    /// In dollars.
    var lessonPrice: Double
    var commissionCents: Int
    var commission: Double
    /// After what went back to the student.
    var earnedCents: Int
    var earned: Double
    /// How much of that was sent to the instructor's account.
    var paidOutCents: Int
    var paidOut: Double

    init(_ booking: Booking, student: String, _ sums: LedgerSums) {
        bookingID = booking.id
        serviceName = booking.serviceName
        studentName = student
        lessonStartUTC = booking.start
        durationMinutes = booking.durationMinutes
        status = booking.status
        paymentStatus = booking.paymentStatus
        lessonPriceCents = sums.lessonPrice
        lessonPrice = DollarAmount(cents: sums.lessonPrice).dollars
        commissionCents = sums.commission
        commission = DollarAmount(cents: sums.commission).dollars
        earnedCents = sums.earned
        earned = DollarAmount(cents: sums.earned).dollars
        paidOutCents = sums.paidOut
        paidOut = DollarAmount(cents: sums.paidOut).dollars
    }

    /// A page of an instructor's lessons that money moved for, in a fixed number of statements.
    static func page(
        _ instructor: ULID, _ window: DayRange, after: ULID?, limit: Int, _ db: Snapshot
    ) throws -> [EarningView] {
        let party = LedgerParty(role: .instructor, user: instructor)
        let found = try LedgerSums.byBooking(party, window, after: after, limit: limit, db)
        let bookings = try Booking.all(found.map(\.booking), db)
        let names = try User.names(bookings.values.map(\.studentID), db)
        return found.compactMap { id, sums in
            bookings[id].map { EarningView($0, student: names[$0.studentID] ?? User.formerName, sums) }
        }
    }
}

extension Booking {
    /// Bookings by their ids.
    static func all(_ ids: [ULID], _ db: Snapshot) throws -> [ULID: Booking] {
        guard !ids.isEmpty else { return [:] }
        let found: [Booking] = try db.all(
            "SELECT \(columns) FROM bookings b WHERE b.id \(in: ids.map(\.description))")
        return Dictionary(found.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
    }
}

/// What a list of lessons comes to.
struct EarningsSummary: Codable, Sendable {
    var lessonPriceCents: Int
    var commissionCents: Int
    var earnedCents: Int
    /// In dollars.
    var earned: Double
    var paidOutCents: Int
    var paidOut: Double
    /// Earned and not sent yet.
    var pendingCents: Int
    var pending: Double

    init(_ sums: LedgerSums) {
        lessonPriceCents = sums.lessonPrice
        commissionCents = sums.commission
        earnedCents = sums.earned
        earned = DollarAmount(cents: sums.earned).dollars
        paidOutCents = sums.paidOut
        paidOut = DollarAmount(cents: sums.paidOut).dollars
        pendingCents = sums.owed
        pending = DollarAmount(cents: sums.owed).dollars
    }
}
