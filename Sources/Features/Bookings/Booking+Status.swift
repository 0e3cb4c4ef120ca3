import JSON
package import Kernel
package import Storage

extension Booking {
    /// The only writer of `status`: checks the transition (domain specification
    /// §2.1), stamps the time that goes with it, and audits. Moving to the state that
    /// it has changes nothing.
    ///
    /// - Parameters:
    ///   - time: of completion; now unless told otherwise.
    ///   - by: who cancels, and why.
    /// - Throws: ``Kernel/Failure/Code/conflict`` for a transition that there is not, and for a time that
    ///   another lesson has.
    package mutating func move(
        to next: BookingStatus, at time: Instant? = nil, by user: ULID? = nil, reason: String? = nil,
        _ tx: Transaction, _ context: Context
    ) throws {
        guard status != next else { return }
        guard status.canBecome(next) else {
            throw Failure(
                .conflict, "A booking that is \(status.rawValue) cannot become \(next.rawValue).",
                reason: "booking_status_conflict")
        }
        let now = context.now
        let stamp: SQL
        switch next {
        case .confirmed:
            // A report that was withdrawn does not make it newly confirmed.
            confirmedAt = confirmedAt ?? now
            stamp = ", confirmed_at = \(confirmedAt)"
        case .completed: (stamp, completedAt) = (", completed_at = \(time ?? now)", time ?? now)
        case .cancelled, .paymentFailed:
            stamp = ", cancelled_at = \(now), cancelled_by_id = \(user), cancellation_reason = \(reason)"
            cancelledAt = now
        case .pending, .noShow: stamp = ""
        }
        _ = try guardingTime {
            try tx.savepoint {
                try tx.run(
                    "UPDATE bookings SET status = \(next), updated_at = \(now)\(stamp) WHERE id = \(id)")
            }
        }
        let old = status
        (status, updatedAt) = (next, now)
        try tx.audit(
            Self.action(next), subject,
            changes: changes(from: ["status": .string(old.rawValue)], to: ["status": .string(next.rawValue)]))
    }

    /// Runs `body` and says a broken rule against overlaps as people understand it.
    func guardingTime<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as StorageError {
            guard let scope = ConflictScope(error) else { throw error }
            throw scope.failure
        }
    }

    /// The actions of the domain specification §6.3.
    private static func action(_ next: BookingStatus) -> String {
        switch next {
        case .completed: "booking.complete"
        case .cancelled: "booking.cancel"
        case .noShow: "booking.no_show"
        case .pending, .confirmed, .paymentFailed: "booking.status_change"
        }
    }
}

/// Whose time is taken.
package enum ConflictScope: String, Sendable {
    case instructor, student

    /// Of a refusal by the guards of the table.
    init?(_ error: StorageError) {
        let text = error.description
        if text.contains("bookings_no_overlap_per_instructor") {
            self = .instructor
        } else if text.contains("bookings_no_overlap_per_student") {
            self = .student
        } else {
            return nil
        }
    }

    package var failure: Failure {
        let who = self == .instructor ? "The instructor has" : "You have"
        var failure = Failure(
            .conflict, "\(who) another lesson at that time.", hint: "Choose another time.",
            reason: "booking_conflict_\(rawValue)")
        failure.details["conflict_scope"] = .string(rawValue)
        return failure
    }
}

extension Booking {
    /// Its payment is sure: the lesson takes place, and both are told.
    package mutating func confirm(_ tx: Transaction, _ context: Context) throws {
        guard status == .pending else { return }
        try move(to: .confirmed, tx, context)
        // Rows from before name people who were never here.
        guard try User.find(studentID, tx) != nil, try User.find(instructorID, tx) != nil else { return }
        let conversation = try Conversation.open(
            student: studentID, instructor: instructorID, tx, context
        ).conversation
        try conversation.announce(
            .bookingCreated, "\(serviceName) is booked.", booking: id, tx, context)
        let data: JSONObject = ["booking_id": .string(id.description)]
        try tx.notify(
            user: studentID, category: .lessonUpdates, type: "booking.confirmed",
            title: "Your lesson is confirmed", body: "\(serviceName) is confirmed.",
            key: outboxKey("booking.confirmed"), data: data)
        try tx.notify(
            user: instructorID, category: .lessonUpdates, type: "booking.confirmed",
            title: "A new lesson is booked", body: "\(serviceName) was booked with you.",
            key: outboxKey("booking.booked"), data: data)
    }
}
