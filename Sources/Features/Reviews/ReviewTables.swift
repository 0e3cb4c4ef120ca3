import Storage

/// `reviews`, `review_responses` (domain specification §1.8), and the roll-up of the published ones.
let reviewMigration = Migration("0152_reviews") { _ in
    [
        """
        CREATE TABLE reviews (
            id \(.id) PRIMARY KEY, booking_id \(.id) NOT NULL UNIQUE REFERENCES bookings (id),
            student_id \(.id) NOT NULL REFERENCES users (id),
            instructor_id \(.id) NOT NULL REFERENCES users (id),
            instructor_service_id \(.id),
            rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 5),
            review_text TEXT CHECK (length(review_text) BETWEEN 3 AND 500),
            status TEXT NOT NULL CHECK (status IN ('published', 'flagged', 'hidden', 'removed')),
            is_verified \(.bool) NOT NULL, created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL)
        """,
        "CREATE INDEX reviews_instructor ON reviews (instructor_id, status, id)",
        "CREATE INDEX reviews_student ON reviews (student_id)",
        """
        CREATE TABLE review_responses (
            id \(.id) PRIMARY KEY, review_id \(.id) NOT NULL UNIQUE REFERENCES reviews (id),
            instructor_id \(.id) NOT NULL REFERENCES users (id),
            response_text TEXT NOT NULL CHECK (length(response_text) BETWEEN 1 AND 500),
            created_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE instructor_ratings (
            instructor_id \(.id) PRIMARY KEY REFERENCES users (id),
            review_count BIGINT NOT NULL CHECK (review_count >= 0),
            rating_sum BIGINT NOT NULL, updated_at BIGINT NOT NULL,
            CHECK (rating_sum BETWEEN review_count AND 5 * review_count))
        """,
    ]
}
