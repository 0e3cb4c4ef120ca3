import Kernel
import Storage

/// What a student paid and got back for one lesson.
struct TransactionView: Codable, Sendable {
    var bookingID: ULID
    var serviceName: String
    var instructorName: String
    var lessonStartUTC: Instant
    var status: BookingStatus
    var paymentStatus: PaymentStatus?
    var lessonPriceCents: Int
    var studentFeeCents: Int
    var creditUsedCents: Int
    var chargedCents: Int
    /// In dollars.
    var charged: Double
    var refundedCents: Int
    var refunded: Double
    var creditReceivedCents: Int

    init(_ booking: Booking, instructor: String, _ sums: LedgerSums) {
        bookingID = booking.id
        serviceName = booking.serviceName
        instructorName = instructor
        lessonStartUTC = booking.start
        status = booking.status
        paymentStatus = booking.paymentStatus
        lessonPriceCents = sums.lessonPrice
        studentFeeCents = sums.studentFee
        creditUsedCents = sums.creditUsed
        chargedCents = sums.charged
        charged = DollarAmount(cents: sums.charged).dollars
        refundedCents = sums.refunded
        refunded = DollarAmount(cents: sums.refunded).dollars
        creditReceivedCents = sums.creditReceived
    }
}

/// What a student paid, lesson by lesson.
struct ListTransactions: Query {
    static let name = "transaction_list"
    static let summary = "What the signed-in student paid and got back, lesson by lesson."
    static let audience = Audience.holders(.createBookings)
    static let route = Route.get("payments/transactions")

    @Input("Rows to return.", .range(1...100)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Output: Codable, Sendable {
        /// The newest bookings first.
        var transactions: [EncodedRow<TransactionView>]
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, limit) = (try context.userID(), limit)
        let place = try PageStart(cursor, filters: user.description, window: nil)
        let rows = try await db.read { db in
            let found = try LedgerSums.byBooking(
                .init(role: .student, user: user), DayRange(nil, nil), after: place.after,
                limit: limit + 1, db)
            let bookings = try Booking.all(found.map(\.booking), db)
            let names = try User.names(bookings.values.map(\.instructorID), db)
            return found.compactMap { id, sums in
                bookings[id].map {
                    TransactionView($0, instructor: names[$0.instructorID] ?? User.formerName, sums)
                }
            }
        }
        let page = try ListPage(rows.map { ($0.bookingID, $0) }, limit: limit, from: place)
        return Output(transactions: page.rows, nextCursor: page.nextCursor)
    }
}
