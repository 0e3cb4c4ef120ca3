import JSON
package import Kernel
package import Storage

/// A lesson that passed every check, ready to be booked.
package struct BookableLesson: Sendable {
    package var request: LessonRequest
    package var service: InstructorService
    package var serviceName: String
    package var time: LessonTime
    package var instructorZone: String
    package var studentZone: String
    /// The neighbourhood of a lesson to which the instructor comes.
    package var serviceArea: String?
    /// Of the lesson, without the student's fee.
    package var priceCents: Int

    /// Writes the booking, PENDING and not paid for, with what it is a snapshot of.
    ///
    /// - Parameter requestKey: what makes a repeated call the same booking.
    package func insert(
        _ id: ULID, setupIntent: String?, requestKey: BookingRequestKey? = nil, _ tx: Transaction,
        _ context: Context
    ) throws -> Booking {
        let (place, now) = (request.place, context.now)
        try tx.run(
            """
            INSERT INTO bookings (id, student_id, instructor_id, instructor_service_id, status, payment_status, \
            booking_date, start_time, end_time, booking_start_utc, booking_end_utc, lesson_timezone, \
            instructor_tz_at_booking, student_tz_at_booking, service_name, hourly_rate_cents, total_price_cents, \
            duration_minutes, location_type, service_area, meeting_location, location_address, location_lat, \
            location_lng, location_place_id, student_note, request_key, request_content, created_at, updated_at)
            VALUES (\(id), \(request.studentID), \(request.instructorID), \(service.id), \
            \(BookingStatus.pending), \(PaymentStatus.methodRequired), \(time.date), \
            \(time.startTime.description), \(time.endTime.description), \(time.start), \(time.end), \
            \(time.zone.name), \(instructorZone), \(studentZone), \(serviceName), \(service.hourlyRateCents), \
            \(priceCents), \(request.minutes), \(place.kind), \(serviceArea), \(place.meeting.nonEmpty), \
            \(place.address.nonEmpty), \(place.latitude), \(place.longitude), \(place.placeID.nonEmpty), \
            \(request.note.nonEmpty), \(requestKey?.key), \(requestKey?.content), \(now), \(now))
            """)
        try BookingPayment.create(id, setupIntent: setupIntent, tx, context)
        guard let booking = try Booking.lock(id, tx) else {
            throw Failure(.internal, "A booking is there and is not.")
        }
        try tx.audit("booking.create", booking.subject, changes: changes(from: [:], to: recorded))
        return booking
    }

    /// What the audit log says of it; where it takes place is the student's own affair.
    private var recorded: JSONObject {
        [
            "status": .string(BookingStatus.pending.rawValue),
            "payment_status": .string(PaymentStatus.methodRequired.rawValue),
            "student_id": .string(request.studentID.description),
            "instructor_id": .string(request.instructorID.description),
            "instructor_service_id": .string(service.id.description),
            "booking_start_utc": .string(time.start.description),
            "booking_end_utc": .string(time.end.description), "lesson_timezone": .string(time.zone.name),
            "hourly_rate_cents": .int(service.hourlyRateCents), "total_price_cents": .int(priceCents),
            "duration_minutes": .int(request.minutes), "location_type": .string(request.place.kind.rawValue),
        ]
    }
}
