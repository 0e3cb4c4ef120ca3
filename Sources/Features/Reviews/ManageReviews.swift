import Kernel
import Storage

/// Reviews a lesson.
struct WriteReview: Command {
    static let name = "review_write"
    static let summary = "Review a completed lesson, once."
    static let effect = Effect.additive
    static let audience = Audience.holders(.createBookings)
    static let route = Route.post("reviews")
    static let creates = true
    static let action = "review.write"

    @Input("The lesson.") var bookingID: ULID
    @Input("Stars.", .range(1...5)) var rating: Int
    @Input("In words.", .length(3...500)) var reviewText: String?
    var subject: Subject? { Subject("booking", bookingID.description) }

    typealias Output = ReviewView

    func run(_ tx: Transaction, _ context: Context) throws -> ReviewView {
        let review = try Review.write(
            booking: bookingID, student: context.userID(), rating: rating, text: reviewText, tx, context)
        return try ReviewView.of(review, tx)
    }
}

/// The review of a lesson, for the two who had it.
struct ShowReview: Query {
    static let name = "review_of_booking"
    static let summary = "The review of a lesson, for its student and instructor."
    static let audience = Audience.users
    static let route = Route.get("reviews/booking/:booking_id")

    @Input("The lesson.") var bookingID: ULID

    typealias Output = ReviewView

    func run(_ db: Reader, _ context: Context) async throws -> ReviewView {
        let (user, id) = (try context.userID(), bookingID)
        let view: ReviewView? = try await db.read { db in
            guard let review = try Review.find(booking: id, db),
                [review.studentID, review.instructorID].contains(user), review.status != .removed
            else { return nil }
            return try ReviewView.of(review, db)
        }
        guard let view else {
            throw Failure(.notFound, "There is no review of the lesson \(id).", reason: "review_not_found")
        }
        return view
    }
}

/// Which lessons a student has reviewed.
struct ListReviewedBookings: Query {
    static let name = "review_existing"
    static let summary = "Which of these lessons the signed-in person has reviewed."
    static let audience = Audience.users
    // A list of ids may be longer than an address.
    static let route = Route.post("reviews/booking/existing")

    @Input("The lessons.", .count(1...100)) var bookingIDs: [ULID]

    struct Output: Codable, Sendable {
        var bookingIDs: [ULID]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (user, ids) = (try context.userID(), bookingIDs)
        return Output(bookingIDs: try await db.read { try Review.reviewed(ids, by: user, $0) })
    }
}

/// Answers a review.
struct RespondToReview: Command {
    static let name = "review_respond"
    static let summary = "Answer a review of one's own lesson, once."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageInstructorProfile)
    static let route = Route.post("reviews/:id/respond")
    static let creates = true
    static let action = "review.answer"

    @Input("The review's id.") var id: ULID
    @Input("The answer.", .length(1...500)) var responseText: String
    var subject: Subject? { Subject("review", id.description) }

    typealias Output = ReviewView

    func run(_ tx: Transaction, _ context: Context) throws -> ReviewView {
        try Review.lock(id, tx).respond(responseText, by: context.userID(), tx, context)
        return try ReviewView.of(Review.lock(id, tx), tx)
    }
}

/// Shows or hides a review.
struct ModerateReview: Command {
    static let name = "review_moderate"
    static let summary = "Publish, flag, hide or remove a review; what is removed stays so."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.moderateContent)
    static let route = Route.post("reviews/:id/moderate")
    static let action = "review.judge"

    @Input("The review's id.") var id: ULID
    @Input("What becomes of it.") var status: ReviewStatus
    @Input("Why; kept in the audit log.", .length(3...500)) var reason: String
    var subject: Subject? { Subject("review", id.description) }

    typealias Output = ReviewView

    func run(_ tx: Transaction, _ context: Context) throws -> ReviewView {
        try Review.lock(id, tx).moderate(status, reason: reason, tx, context)
        return try ReviewView.of(Review.lock(id, tx), tx)
    }
}
