import JSON
package import Kernel
package import Storage

extension Review {
    /// Adds a student's review of a lesson that took place.
    ///
    /// - Throws: ``Kernel/Failure/Code/notFound`` for a booking of somebody else,
    ///   ``Kernel/Failure/Code/conflict`` with `booking_not_completed` or `review_exists`.
    package static func write(
        booking: ULID, student: ULID, rating: Int, text: String?, _ tx: Transaction, _ context: Context
    ) throws -> Review {
        let text = try checked(text)
        let instructor = try lesson(booking, of: student, tx)
        let id: ULID? = try tx.value(
            """
            INSERT INTO reviews (id, booking_id, student_id, instructor_id, rating, review_text, status, \
            is_verified, created_at, updated_at)
            VALUES (\(context.newID()), \(booking), \(student), \(instructor), \(rating), \(text), \
            'published', \(true), \(context.now), \(context.now))
            ON CONFLICT (booking_id) DO NOTHING RETURNING id
            """)
        guard let id, let review = try find(id, tx) else {
            throw Failure(.conflict, "The lesson has a review already.", reason: "review_exists")
        }
        try Rating.add(rating, by: 1, instructor, tx, context)
        try tx.audit(
            "review.create", review.subject,
            changes: changes(from: [:], to: ["rating": .int(rating), "status": "published"]))
        try tx.notify(
            user: instructor, category: .reviews, type: "review.received", title: "You have a new review",
            body: "A student gave your lesson \(rating) of 5 stars.",
            data: ["review_id": .string(id.description), "booking_id": .string(booking.description)])
        return review
    }

    /// The instructor of a completed lesson of that student, which stays so to the end
    /// of the transaction.
    private static func lesson(_ booking: ULID, of student: ULID, _ tx: Transaction) throws -> ULID {
        let row = try tx.rows(
            """
            SELECT instructor_id, status FROM bookings WHERE id = \(booking) AND student_id = \(student) \
            \(.forUpdate)
            """
        ).first
        guard let row else {
            throw Failure(
                .notFound, "There is no booking with the id \(booking).", reason: "booking_not_found")
        }
        guard try row.get(at: 1, as: BookingStatus.self) == .completed else {
            throw Failure(
                .conflict, "A lesson can be reviewed once it is completed.", reason: "booking_not_completed")
        }
        return try row.get(at: 0)
    }

    private static func checked(_ text: String?) throws -> String? {
        guard let text else { return nil }
        let cleaned = UntrustedText.cleaned(text)
        guard cleaned.contains(where: { !$0.isWhitespace }) else { return nil }
        guard textLength.contains(cleaned.unicodeScalars.count) else {
            throw Failure.invalid([.init("review_text", "must have 3 to 500 characters")])
        }
        return cleaned
    }

    /// Adds the instructor's answer, once.
    /// - Throws: ``Kernel/Failure/Code/notFound`` when the review is of another instructor or is
    ///   not shown, ``Kernel/Failure/Code/conflict``, `response_exists`, for a second one.
    package func respond(_ text: String, by instructor: ULID, _ tx: Transaction, _ context: Context) throws {
        guard instructorID == instructor, status == .published || status == .flagged else {
            throw Self.unknown(id)
        }
        let cleaned = UntrustedText.cleaned(text)
        guard Self.responseLength.contains(cleaned.unicodeScalars.count),
            cleaned.contains(where: { !$0.isWhitespace })
        else { throw Failure.invalid([.init("response_text", "must have 1 to 500 characters")]) }
        let added = try tx.run(
            """
            INSERT INTO review_responses (id, review_id, instructor_id, response_text, created_at)
            VALUES (\(context.newID()), \(id), \(instructor), \(cleaned), \(context.now))
            ON CONFLICT (review_id) DO NOTHING
            """)
        guard added.affected == 1 else {
            throw Failure(.conflict, "The review has a response already.", reason: "response_exists")
        }
        try tx.audit("review.respond", subject)
        try tx.notify(
            user: studentID, category: .reviews, type: "review.answered",
            title: "Your instructor answered your review", body: "Your instructor answered your review.",
            data: ["review_id": .string(id.description)])
    }

    /// Shows or hides a review, and counts it accordingly.
    /// - Throws: ``Kernel/Failure/Code/conflict``, `review_removed`, once it was removed.
    package func moderate(_ next: ReviewStatus, reason: String, _ tx: Transaction, _ context: Context) throws
    {
        guard status != next else { return }
        guard status.canBecome(next) else {
            throw Failure(.conflict, "The review was removed and stays so.", reason: "review_removed")
        }
        try tx.run(
            "UPDATE reviews SET status = \(next), updated_at = \(context.now) WHERE id = \(id)")
        if status == .published { try Rating.add(rating, by: -1, instructorID, tx, context) }
        if next == .published { try Rating.add(rating, by: 1, instructorID, tx, context) }
        try tx.audit(
            "review.moderate", subject,
            changes: changes(
                from: ["status": .string(status.rawValue)], to: ["status": .string(next.rawValue)]),
            description: reason)
    }
}
