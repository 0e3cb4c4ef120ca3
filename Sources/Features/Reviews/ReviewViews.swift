import Kernel
import Storage

/// A review as everybody sees it. The texts are people's words: untrusted.
struct ReviewView: Codable, Sendable {
    struct Response: Codable, Sendable {
        var responseText: String
        var createdAt: Instant
    }

    var id: ULID
    var bookingID: ULID
    var instructorID: ULID
    var reviewerName: String
    var rating: Int
    var reviewText: String?
    var status: ReviewStatus
    var isVerified: Bool
    var createdAt: Instant
    var response: Response?

    init(_ review: Review, name: String?) {
        id = review.id
        bookingID = review.bookingID
        instructorID = review.instructorID
        reviewerName = name ?? User.formerName
        rating = review.rating
        reviewText = review.text.map { UntrustedText.cleaned($0) }
        status = review.status
        isVerified = review.isVerified
        createdAt = review.createdAt
        if let text = review.response, let at = review.respondedAt {
            response = Response(responseText: UntrustedText.cleaned(text), createdAt: at)
        }
    }

    /// One statement more than the reviews took, for the names.
    static func of(_ reviews: [Review], _ db: Snapshot) throws -> [ReviewView] {
        let names = try User.names(reviews.map(\.studentID), db)
        return reviews.map { ReviewView($0, name: names[$0.studentID]) }
    }

    static func of(_ review: Review, _ db: Snapshot) throws -> ReviewView {
        ReviewView(review, name: try User.names([review.studentID], db)[review.studentID])
    }
}

/// An instructor's rating.
struct RatingView: Codable, Sendable, Hashable {
    var instructorID: ULID
    /// To two places; null without a review.
    var rating: Double?
    var reviewCount: Int

    init(_ instructor: ULID, _ rating: Rating) {
        instructorID = instructor
        self.rating = rating.average
        reviewCount = rating.count
    }
}
