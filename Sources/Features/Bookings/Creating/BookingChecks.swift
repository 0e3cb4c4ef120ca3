package import Kernel
package import Storage

/// What is looked at before a lesson is booked: the ten checks of the domain
/// specification §2.3, a function each, in its order. The first that fails says why.
package struct BookingChecks {
    let request: LessonRequest
    let now: Instant
    let isProduction: Bool
    let db: Snapshot

    /// - Returns: the lesson as it can be booked.
    /// - Throws: ``Kernel/Failure`` with the reason of the check.
    package static func pass(_ request: LessonRequest, _ db: Snapshot, _ context: Context) throws
        -> BookableLesson
    {
        try BookingChecks(
            request: request, now: context.now,
            isProduction: context.configuration.environmentName == "production", db: db
        ).pass()
    }

    func pass() throws -> BookableLesson {
        let student = try student()
        try account(student)
        let (service, name, instructor) = try service()
        try duration(service)
        let time = try time(instructor)
        let area = try location(service)
        try availability(time, instructor)
        try overlap(time, instructor)
        try advance(time, instructor)
        let price = try price(service)
        return BookableLesson(
            request: request, service: service, serviceName: name, time: time,
            instructorZone: instructor.zone.name, studentZone: LocalZone(student.timezone).name,
            serviceArea: area, priceCents: price)
    }

    // 1. A student, and not of themselves.
    private func student() throws -> User {
        guard let student = try User.find(request.studentID, db),
            try Access.of(student.id, db).has(.student)
        else {
            throw Failure(.forbidden, "Only students book lessons.", reason: "student_role_required")
        }
        guard student.id != request.instructorID else {
            throw Failure(.conflict, "Nobody books a lesson with themselves.", reason: "own_lesson")
        }
        return student
    }

    // 2. An account in good standing.
    private func account(_ student: User) throws {
        func refuse(_ isRefused: Bool, _ what: String, _ reason: String) throws {
            guard isRefused else { return }
            throw Failure(
                .forbidden, "You cannot book lessons: \(what).", hint: "Support can help.", reason: reason)
        }
        try refuse(student.isAccountLocked, "the account is locked", "account_locked")
        try refuse(student.isAccountRestricted, "the account is restricted", "account_restricted")
        try refuse(student.isCreditFrozen, "its credits are frozen by a dispute", "credit_balance_frozen")
        try refuse(student.creditBalanceCents < 0, "it owes credits", "credit_balance_negative")
    }

    // 3. A service that the instructor offers, and an instructor who teaches.
    private func service() throws -> (InstructorService, name: String, BookedInstructor) {
        guard let instructor = try BookedInstructor.find(request.instructorID, db),
            let service = try InstructorService.find(request.serviceID, db),
            service.profileID == instructor.profileID, service.isActive, !instructor.isClosed,
            let name: String = try db.value(
                "SELECT name FROM service_catalog WHERE id = \(service.serviceCatalogID)")
        else {
            throw Failure(
                .notFound, "The instructor offers no service with the id \(request.serviceID).",
                reason: "service_not_found")
        }
        // Out of production people are booked before they went through a background check.
        guard instructor.isActive, !isProduction || instructor.isVerified else {
            throw Failure(
                .conflict, "The instructor cannot be booked at present.", reason: "instructor_not_bookable")
        }
        return (service, name, instructor)
    }

    // 4. A length that the service comes in.
    private func duration(_ service: InstructorService) throws {
        guard !service.durationOptions.contains(request.minutes) else { return }
        let options = service.durationOptions.map(String.init).joined(separator: ", ")
        var failure = Failure.invalid([.init("selected_duration", "must be one of \(options) minutes")])
        failure.reason = "duration_not_offered"
        throw failure
    }

    // 5. Within one day of the lesson's zone.
    private func time(_ instructor: BookedInstructor) throws -> LessonTime {
        var zone = instructor.zone
        if request.place.kind == .online, let name = request.timezone {
            guard LocalZone.knows(name) else {
                throw Failure.invalid([.init("timezone", "must be a zone such as America/New_York")])
            }
            zone = LocalZone(name)
        }
        return try LessonTime(request.date, request.startTime, minutes: request.minutes, zone)
    }

    // 6. A place to which the service comes.
    private func location(_ service: InstructorService) throws -> String? {
        let place = request.place
        func require(_ holds: Bool, _ field: String, _ problem: String, _ reason: String) throws {
            guard !holds else { return }
            var failure = Failure.invalid([.init(field, problem)])
            failure.reason = reason
            throw failure
        }
        var area: String?
        switch place.kind {
        case .studentLocation, .neutralLocation:
            try require(
                service.offersTravel, "location_type", "must be another: the instructor does not travel",
                "TRAVEL_NOT_OFFERED")
            let point = place.coordinates
            try require(
                point != nil, "location_lat", "and location_lng are required for a lesson there",
                "COORDINATES_REQUIRED")
            let regions = try ServiceArea.of(request.instructorID, db).map(\.region)
            area = point.flatMap { Region.holding($0, among: regions)?.name }
            try require(
                area != nil, "location_lat", "and location_lng must be where the instructor teaches",
                "OUTSIDE_SERVICE_AREA")
        case .instructorLocation:
            try require(
                service.offersAtLocation, "location_type", "must be another: the instructor has no place",
                "AT_LOCATION_NOT_OFFERED")
        case .online:
            try require(
                service.offersOnline, "location_type", "must be another: the service is not taught online",
                "ONLINE_NOT_OFFERED")
        }
        try require(
            !place.kind.isInPerson || place.address.nonEmpty != nil || place.meeting.nonEmpty != nil,
            "location_address", "is required for a lesson in person", "ADDRESS_REQUIRED")
        return area
    }

    // 7. All of it in the instructor's windows, and on no blackout date.
    private func availability(_ time: LessonTime, _ instructor: BookedInstructor) throws {
        let zone = instructor.zone
        let (first, last) = (zone.day(time.start), zone.day(time.end - .seconds(1)))
        guard try BlackoutDate.days(instructor.id, from: first, through: last, db).isEmpty else {
            throw Failure(
                .conflict, "The instructor does not teach on that day.", hint: "Choose another day.",
                reason: "instructor_blackout")
        }
        let days = try AvailabilityCalendar.days(instructor.id, from: first, through: last, db)
        var moment = time.start
        while moment < time.end {
            let (day, minute) = zone.local(moment)
            guard days[day]?[minute / DayBits.slotMinutes] == true else {
                throw Failure(
                    .conflict, "The instructor does not teach at that time.",
                    hint: "GET /api/v1/public/instructors/{id}/availability shows when they do.",
                    reason: "time_not_available")
            }
            moment = moment + .seconds(DayBits.slotMinutes * 60)
        }
    }

    // 8. Nobody is taken. The buffer is the instructor's; students may go from one to the next.
    private func overlap(_ time: LessonTime, _ instructor: BookedInstructor) throws {
        let scope = try Booking.conflict(
            instructor: instructor.id, buffer: instructor.buffer, student: request.studentID, time.span,
            except: request.replacing, db)
        if let scope { throw scope.failure }
    }

    // 9. Early enough. Between moments, so that a change of the clock makes no difference.
    private func advance(_ time: LessonTime, _ instructor: BookedInstructor) throws {
        guard time.start < now + instructor.advance || time.start <= now else { return }
        let hours = instructor.advance.components.seconds / 3_600
        throw Failure(
            .conflict, "Lessons with this instructor are booked at least \(hours) hours ahead.",
            hint: "Choose a later time.", reason: "min_advance_booking")
    }

    // 10. No less than the floor.
    private func price(_ service: InstructorService) throws -> Int {
        try PricingConfig.current(db).price(
            hourlyRateCents: service.hourlyRateCents, minutes: request.minutes,
            isInPerson: request.place.kind.isInPerson)
    }
}

extension PricingConfig {
    /// The price of a lesson.
    /// - Throws: ``Kernel/Failure/Code/invalidInput``, `PRICE_BELOW_FLOOR`, for one that is too cheap.
    package func price(hourlyRateCents: Int, minutes: Int, isInPerson: Bool) throws -> Int {
        let price = LessonPrice.base(hourlyRateCents: hourlyRateCents, minutes: minutes)
        let hourly = isInPerson ? priceFloorCents.privateInPerson : priceFloorCents.privateRemote
        let floor = LessonPrice.base(hourlyRateCents: hourly, minutes: minutes)
        guard price < floor else { return price }
        let kind = isInPerson ? "in person" : "online"
        var failure = Failure.invalid([
            .init(
                "instructor_service_id",
                "costs \(price) cents for \(minutes) minutes \(kind), less than the floor of \(floor)")
        ])
        failure.reason = "PRICE_BELOW_FLOOR"
        throw failure
    }
}
