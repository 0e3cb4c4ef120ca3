import Kernel
import Storage

/// An instructor's rating.
struct ShowRatings: Query {
    static let name = "review_ratings"
    static let summary = "The average and number of an instructor's published reviews."
    static let audience = Audience.anyone
    static let route = Route.get("reviews/instructor/:instructor_id/ratings")

    @Input("The instructor's user id.") var instructorID: ULID

    struct Output: Codable, Sendable {
        var overall: RatingView
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let id = instructorID
        return Output(overall: try await db.read { RatingView(id, try Rating.of(id, $0)) })
    }
}

/// The same as a search result shows it.
struct ShowSearchRating: Query {
    static let name = "review_search_rating"
    static let summary = "An instructor's rating as search results show it."
    static let audience = Audience.anyone
    static let route = Route.get("reviews/instructor/:instructor_id/search-rating")

    @Input("The instructor's user id.") var instructorID: ULID

    typealias Output = RatingView

    func run(_ db: Reader, _ context: Context) async throws -> RatingView {
        let id = instructorID
        return try await db.read { RatingView(id, try Rating.of(id, $0)) }
    }
}

/// The ratings of many instructors at once.
struct ShowRatingsBatch: Query {
    static let name = "review_ratings_batch"
    static let summary = "The ratings of up to 100 instructors."
    static let audience = Audience.anyone
    // A list of ids may be longer than an address.
    static let route = Route.post("reviews/ratings/batch")

    @Input("Their user ids.", .count(1...100)) var instructorIDs: [ULID]

    struct Output: Codable, Sendable {
        var results: [RatingView]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let ids = instructorIDs
        let ratings = try await db.read { try Rating.of(ids, $0) }
        return Output(results: ids.map { RatingView($0, ratings[$0] ?? Rating()) })
    }
}

/// What was said of an instructor.
struct ListReviews: Query {
    static let name = "review_list"
    static let summary = "An instructor's published reviews, newest first."
    static let audience = Audience.anyone
    static let route = Route.get("reviews/instructor/:instructor_id/recent")

    @Input("The instructor's user id.") var instructorID: ULID
    @Input("Rows to return.", .range(1...50)) var limit = 10
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?

    struct Output: Codable, Sendable {
        var reviews: [EncodedRow<ReviewView>]
        var nextCursor: String?
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let (id, limit) = (instructorID, limit)
        let place = try PageStart(cursor, filters: id.description, window: nil)
        let found = try await db.read { db in
            try ReviewView.of(Review.page(of: id, after: place.after, limit: limit + 1, db), db)
        }
        let page = try ListPage(found.map { ($0.id, $0) }, limit: limit, from: place)
        return Output(reviews: page.rows, nextCursor: page.nextCursor)
    }
}
