import Kernel
import Storage

let availabilityMigration = Migration("0135_availability") { _ in
    [
        """
        CREATE TABLE availability_days (
            instructor_id \(.id) NOT NULL REFERENCES users (id), day_date \(.text) NOT NULL,
            bits \(.bytes) NOT NULL CHECK (length(bits) = 36), updated_at BIGINT NOT NULL,
            PRIMARY KEY (instructor_id, day_date))
        """,
        // Locked by whoever changes the instructor's days, so that two with the same version meet.
        """
        CREATE TABLE availability_calendars (
            instructor_id \(.id) PRIMARY KEY REFERENCES users (id), revision BIGINT NOT NULL,
            updated_at BIGINT NOT NULL)
        """,
        """
        CREATE TABLE blackout_dates (
            id \(.id) PRIMARY KEY, instructor_id \(.id) NOT NULL REFERENCES users (id),
            date \(.text) NOT NULL, reason TEXT, created_at BIGINT NOT NULL, UNIQUE (instructor_id, date))
        """,
    ]
}

/// When lessons are; null in rows from before.
let bookingTimesMigration = Migration("0136_booking_times") { _ in
    [
        "ALTER TABLE bookings ADD COLUMN booking_date TEXT",
        "ALTER TABLE bookings ADD COLUMN booking_start_utc BIGINT",
        "ALTER TABLE bookings ADD COLUMN booking_end_utc BIGINT",
        "CREATE INDEX bookings_instructor_start ON bookings (instructor_id, booking_start_utc)",
    ]
}
