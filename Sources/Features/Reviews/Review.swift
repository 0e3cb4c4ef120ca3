import JSON
package import Kernel
package import Storage

/// The values of `reviews.status`; only published ones are shown and counted.
package enum ReviewStatus: String, Sendable, CaseIterable, Codable, InputEnum, SQLBindable, SQLDecodable {
    case published, flagged, hidden, removed

    /// Whatever was removed stays so.
    func canBecome(_ next: ReviewStatus) -> Bool { self != .removed && self != next }
}

/// One row of `reviews`, with its response.
package struct Review: Sendable, RowDecodable {
    package static let textLength = 3...500
    package static let responseLength = 1...500

    package var id: ULID
    package var bookingID: ULID
    package var studentID: ULID
    package var instructorID: ULID
    package var rating: Int
    /// Untrusted words.
    package var text: String?
    package var status: ReviewStatus
    package var isVerified: Bool
    package var createdAt: Instant
    /// Untrusted words of the instructor.
    package var response: String?
    package var respondedAt: Instant?

    private static let columns: SQL = """
        reviews.id, booking_id, student_id, reviews.instructor_id, rating, review_text, status, is_verified, \
        reviews.created_at, a.response_text, a.created_at
        """
    private static let source: SQL = """
        FROM reviews LEFT JOIN review_responses AS a ON a.review_id = reviews.id
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        bookingID = try row.get(at: 1)
        studentID = try row.get(at: 2)
        instructorID = try row.get(at: 3)
        rating = try row.get(at: 4)
        text = try row.get(at: 5)
        status = try row.get(at: 6)
        isVerified = try row.get(at: 7)
        createdAt = try row.get(at: 8)
        response = try row.get(at: 9)
        respondedAt = try row.get(at: 10)
    }

    package var subject: Subject { Subject("review", id.description) }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> Review? {
        try db.one("SELECT \(columns) \(source) WHERE reviews.id = \(id)")
    }

    package static func find(booking: ULID, _ db: Snapshot) throws -> Review? {
        try db.one("SELECT \(columns) \(source) WHERE booking_id = \(booking)")
    }

    /// Keeps a review from changing to the end of the transaction.
    /// - Throws: ``Kernel/Failure/Code/notFound``.
    package static func lock(_ id: ULID, _ tx: Transaction) throws -> Review {
        // An outer join cannot be locked, so the row is locked first and then read.
        let isThere: Int? = try tx.value("SELECT 1 FROM reviews WHERE id = \(id) \(.forUpdate)")
        guard isThere != nil, let review = try find(id, tx) else { throw unknown(id) }
        return review
    }

    static func unknown(_ id: ULID) -> Failure {
        Failure(.notFound, "There is no review with the id \(id).", reason: "review_not_found")
    }

    /// The published ones of an instructor, the newest first; one statement.
    package static func page(of instructor: ULID, after: ULID?, limit: Int, _ db: Snapshot) throws -> [Review]
    {
        var sql: SQL = """
            SELECT \(columns) \(source) WHERE reviews.instructor_id = \(instructor) AND status = 'published'
            """
        if let after { sql += " AND reviews.id < \(after)" }
        return try db.all(sql + " ORDER BY reviews.id DESC LIMIT \(limit)")
    }

    /// Which of these bookings a student has reviewed.
    package static func reviewed(_ bookings: [ULID], by student: ULID, _ db: Snapshot) throws -> [ULID] {
        try db.values(
            """
            SELECT booking_id FROM reviews WHERE booking_id \(in: bookings) AND student_id = \(student)
            ORDER BY booking_id
            """)
    }
}
