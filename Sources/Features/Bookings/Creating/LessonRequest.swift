package import Kernel
package import Storage

/// Where a lesson is to take place.
package struct LessonPlace: Codable, Sendable, Hashable {
    package var kind: LessonLocation
    package var address: String?
    /// In words, such as "at the fountain".
    package var meeting: String?
    package var latitude: Double?
    package var longitude: Double?
    /// Of the provider of maps.
    package var placeID: String?

    package init(
        _ kind: LessonLocation, address: String? = nil, meeting: String? = nil, latitude: Double? = nil,
        longitude: Double? = nil, placeID: String? = nil
    ) {
        self.kind = kind
        self.address = address
        self.meeting = meeting
        self.latitude = latitude
        self.longitude = longitude
        self.placeID = placeID
    }

    /// Nil unless both numbers are on the globe.
    var coordinates: Coordinates? {
        guard let latitude, let longitude else { return nil }
        return Coordinates(latitude: latitude, longitude: longitude)
    }
}

/// A lesson that a student wants: with whom, what, when and where.
package struct LessonRequest: Codable, Sendable, Hashable {
    package var studentID: ULID
    package var instructorID: ULID
    package var serviceID: ULID
    /// Of the lesson's zone.
    package var date: CalendarDay
    package var startTime: ClockTime
    package var minutes: Int
    package var place: LessonPlace
    /// Of an online lesson; the instructor's when nil. Others are where the instructor is.
    package var timezone: String?
    package var note: String?
    /// The booking that this one takes the place of, whose time is free for it.
    package var replacing: ULID?

    package init(
        studentID: ULID, instructorID: ULID, serviceID: ULID, date: CalendarDay, startTime: ClockTime,
        minutes: Int, place: LessonPlace, timezone: String? = nil, note: String? = nil, replacing: ULID? = nil
    ) {
        self.studentID = studentID
        self.instructorID = instructorID
        self.serviceID = serviceID
        self.date = date
        self.startTime = startTime
        self.minutes = minutes
        self.place = place
        self.timezone = timezone
        self.note = note
        self.replacing = replacing
    }
}

/// When a lesson takes place: on the clock of its zone, and as moments.
package struct LessonTime: Sendable {
    package let zone: LocalZone
    package let date: CalendarDay
    package let startTime: ClockTime
    /// `00:00:00` for the end of the day.
    package let endTime: ClockTime
    package let start: Instant
    package let end: Instant

    package var span: Range<Instant> { start..<end }
    package var minutes: Int { Int((end - start).components.seconds / 60) }

    /// - Throws: ``Kernel/Failure/Code/invalidInput`` for a time off the grid, beyond midnight, or
    ///   across a change of the clock: there the clock and the length of the lesson would disagree.
    package init(_ date: CalendarDay, _ start: ClockTime, minutes: Int, _ zone: LocalZone) throws {
        let endMinute = start.minute + minutes
        guard start.minute % DayBits.startGridMinutes == 0 else {
            throw Self.refused(
                "start_time", "must be a multiple of \(DayBits.startGridMinutes) minutes, not \(start)",
                "start_not_aligned")
        }
        guard endMinute <= ClockTime.lastMinute else {
            throw Self.refused(
                "selected_duration", "must let the lesson end by midnight", "ends_after_midnight")
        }
        let (first, last) = (
            zone.instant(date, minute: start.minute), zone.instant(date, minute: endMinute)
        )
        let end: (CalendarDay, Int) =
            endMinute == ClockTime.lastMinute ? (date.adding(days: 1), 0) : (date, endMinute)
        guard zone.local(first) == (date, start.minute), zone.local(last) == end,
            last - first == .seconds(minutes * 60)
        else {
            throw Self.refused("start_time", "falls into a change of the clock", "clock_change")
        }
        self.zone = zone
        self.date = date
        startTime = start
        endTime = ClockTime(minute: end.1)
        (self.start, self.end) = (first, last)
    }

    private static func refused(_ field: String, _ problem: String, _ reason: String) -> Failure {
        var failure = Failure.invalid([.init(field, problem)])
        failure.reason = reason
        return failure
    }
}
