package import Kernel
package import Storage

/// An instructor's row of `instructor_ratings`: the published reviews added up, in the
/// transaction that changes them.
package struct Rating: Sendable, Hashable {
    package var count: Int
    package var sum: Int

    package init(count: Int = 0, sum: Int = 0) { (self.count, self.sum) = (count, sum) }

    /// To two places, half up; nil without a review.
    package var average: Double? {
        count == 0 ? nil : Double((200 * sum + count) / (2 * count)) / 100
    }

    /// Of any number of instructors in one statement; those without a review are not in it.
    package static func of(_ instructors: [ULID], _ db: Snapshot) throws -> [ULID: Rating] {
        let rows = try db.rows(
            """
            SELECT instructor_id, review_count, rating_sum FROM instructor_ratings
            WHERE instructor_id \(in: instructors) AND review_count > 0
            """)
        var ratings: [ULID: Rating] = [:]
        for row in rows {
            ratings[try row.get(at: 0)] = Rating(count: try row.get(at: 1), sum: try row.get(at: 2))
        }
        return ratings
    }

    package static func of(_ instructor: ULID, _ db: Snapshot) throws -> Rating {
        try of([instructor], db)[instructor] ?? Rating()
    }

    /// Adds a review that became visible, or takes one out.
    static func add(_ rating: Int, by sign: Int, _ instructor: ULID, _ tx: Transaction, _ context: Context)
        throws
    {
        let (count, sum) = (sign, sign * rating)
        // Two statements, because the checks of the row to insert come before the conflict.
        try tx.run(
            """
            INSERT INTO instructor_ratings (instructor_id, review_count, rating_sum, updated_at)
            VALUES (\(instructor), 0, 0, \(context.now)) ON CONFLICT (instructor_id) DO NOTHING
            """)
        try tx.run(
            """
            UPDATE instructor_ratings SET review_count = review_count + \(count), \
            rating_sum = rating_sum + \(sum), updated_at = \(context.now) WHERE instructor_id = \(instructor)
            """)
    }
}
