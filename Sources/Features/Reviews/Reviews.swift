package import Kernel

extension Feature {
    /// What students say of lessons, and what instructors answer.
    package static let reviews = Feature(
        name: "reviews", summary: "Reviews of lessons and the ratings of instructors.",
        operations: [
            WriteReview.self, ShowReview.self, ListReviewedBookings.self, RespondToReview.self,
            ModerateReview.self, ShowRatings.self, ShowSearchRating.self, ShowRatingsBatch.self,
            ListReviews.self,
        ],
        migrations: [reviewMigration])
}
