import Kernel
import Storage

/// What a lesson is: a snapshot of the service as it was booked, and when it takes place.
///
/// Rows from before have no times; they are lessons that webhooks told of.
let bookingLessonMigration = Migration("0170_booking_lessons") { dialect in
    let columns: [SQL] = [
        "instructor_service_id \(.id)", "start_time TEXT", "end_time TEXT", "lesson_timezone TEXT",
        "instructor_tz_at_booking TEXT", "student_tz_at_booking TEXT",
        "service_name TEXT NOT NULL DEFAULT ''",
        "hourly_rate_cents BIGINT NOT NULL DEFAULT 0 CHECK (hourly_rate_cents >= 0)",
        "total_price_cents BIGINT NOT NULL DEFAULT 0 CHECK (total_price_cents >= 0)",
        "duration_minutes INTEGER NOT NULL DEFAULT 0 CHECK (duration_minutes >= 0)",
        """
        location_type TEXT NOT NULL DEFAULT 'online'
        CHECK (location_type IN ('student_location', 'instructor_location', 'online', 'neutral_location'))
        """,
        "service_area TEXT", "meeting_location TEXT", "location_address TEXT",
        "location_lat DOUBLE PRECISION", "location_lng DOUBLE PRECISION", "location_place_id TEXT",
        "student_note TEXT", "instructor_note TEXT", "completed_at BIGINT", "cancelled_at BIGINT",
        "cancelled_by_id \(.id)", "cancellation_reason TEXT",
        "reminder_24h_sent \(.bool) NOT NULL DEFAULT FALSE",
        "reminder_1h_sent \(.bool) NOT NULL DEFAULT FALSE",
        "rescheduled_from_booking_id \(.id)", "rescheduled_to_booking_id \(.id)",
        "reschedule_count INTEGER NOT NULL DEFAULT 0",
        "late_reschedule_used \(.bool) NOT NULL DEFAULT FALSE",
        "has_locked_funds \(.bool) NOT NULL DEFAULT FALSE", "original_lesson_datetime BIGINT",
    ]
    return columns.map { "ALTER TABLE bookings ADD COLUMN \($0)" } + overlapGuards(dialect) + [
        "CREATE INDEX bookings_student_start ON bookings (student_id, booking_start_utc)",
        "CREATE INDEX bookings_date ON bookings (booking_date, status)",
        "CREATE INDEX bookings_start ON bookings (booking_start_utc) WHERE status = 'CONFIRMED'",
        """
        CREATE INDEX bookings_end ON bookings (booking_end_utc)
        WHERE status IN ('CONFIRMED', 'COMPLETED') AND payment_status = 'authorized'
        """,
        """
        CREATE INDEX bookings_rescheduled_from ON bookings (rescheduled_from_booking_id)
        WHERE rescheduled_from_booking_id IS NOT NULL
        """,
    ]
}

/// Nobody teaches or learns twice at a time: an exclusion constraint on PostgreSQL
/// ("Range Types", 8.17.10); on SQLite, where one writes at a time, a trigger.
private func overlapGuards(_ dialect: Dialect) -> [SQL] {
    let kept: SQL = "status IN ('CONFIRMED', 'COMPLETED', 'NO_SHOW') AND booking_end_utc > booking_start_utc"
    switch dialect {
    case .postgres:
        func constraint(_ name: SQL, _ column: SQL) -> SQL {
            """
            ALTER TABLE bookings ADD CONSTRAINT \(name) EXCLUDE USING gist
            (\(column) WITH =, int8range(booking_start_utc, booking_end_utc) WITH &&) WHERE (\(kept))
            """
        }
        return [
            "CREATE EXTENSION IF NOT EXISTS btree_gist",
            constraint("bookings_no_overlap_per_instructor", "instructor_id"),
            constraint("bookings_no_overlap_per_student", "student_id"),
        ]
    case .sqlite:
        func trigger(_ name: SQL, _ event: SQL, _ column: SQL, _ message: SQL) -> SQL {
            """
            CREATE TRIGGER \(name) BEFORE \(event) ON bookings
            WHEN NEW.status IN ('CONFIRMED', 'COMPLETED', 'NO_SHOW') AND NEW.booking_end_utc > NEW.booking_start_utc
            AND EXISTS (
                SELECT 1 FROM bookings b WHERE b.\(column) = NEW.\(column) AND b.id <> NEW.id
                AND b.status IN ('CONFIRMED', 'COMPLETED', 'NO_SHOW') AND b.booking_start_utc < NEW.booking_end_utc
                AND b.booking_start_utc > NEW.booking_start_utc - 86400000000
                AND b.booking_end_utc > NEW.booking_start_utc AND b.booking_end_utc > b.booking_start_utc)
            BEGIN SELECT RAISE(ABORT, '\(message)'); END
            """
        }
        let changed: SQL = "UPDATE OF status, booking_start_utc, booking_end_utc, instructor_id, student_id"
        return [
            trigger(
                "bookings_instructor_insert", "INSERT", "instructor_id", "bookings_no_overlap_per_instructor"),
            trigger(
                "bookings_instructor_update", changed, "instructor_id", "bookings_no_overlap_per_instructor"),
            trigger("bookings_student_insert", "INSERT", "student_id", "bookings_no_overlap_per_student"),
            trigger("bookings_student_update", changed, "student_id", "bookings_no_overlap_per_student"),
        ]
    }
}

/// What the payment of a lesson knows, one row for a booking (domain specification §1.6).
///
/// Apart from the lesson, so that the steps of a payment write narrow rows.
let bookingPaymentMigration = Migration("0171_booking_payments") { _ in
    [
        """
        CREATE TABLE booking_payments (
            booking_id \(.id) PRIMARY KEY REFERENCES bookings (id),
            payment_method_id TEXT, setup_intent_id TEXT, payment_intent_id TEXT,
            is_immediate \(.bool) NOT NULL DEFAULT FALSE,
            auth_scheduled_for BIGINT, auth_attempted_at BIGINT, auth_succeeded_at BIGINT,
            auth_failure_count INTEGER NOT NULL DEFAULT 0, auth_last_error TEXT,
            auth_first_mail_at BIGINT, auth_warning_at BIGINT,
            base_cents BIGINT, student_fee_cents BIGINT, instructor_fee_cents BIGINT, payout_cents BIGINT,
            credit_cents BIGINT, student_pay_cents BIGINT, application_fee_cents BIGINT,
            commission_pct DOUBLE PRECISION,
            credits_reserved_cents BIGINT NOT NULL DEFAULT 0 CHECK (credits_reserved_cents >= 0),
            captured_at BIGINT, captured_cents BIGINT NOT NULL DEFAULT 0 CHECK (captured_cents >= 0),
            transfer_id TEXT, transferred_cents BIGINT NOT NULL DEFAULT 0 CHECK (transferred_cents >= 0),
            top_up_transfer_id TEXT, payout_transfer_id TEXT,
            refund_id TEXT, refunded_cents BIGINT NOT NULL DEFAULT 0 CHECK (refunded_cents >= 0),
            student_credit_cents BIGINT, instructor_payout_cents BIGINT,
            failed_step TEXT, step_error TEXT, step_failed_at BIGINT, step_failed_first_at BIGINT,
            step_failures INTEGER NOT NULL DEFAULT 0, capture_escalated_at BIGINT,
            locked_at BIGINT, locked_cents BIGINT, lock_resolved_at BIGINT, lock_resolution TEXT,
            settled_at BIGINT, updated_at BIGINT NOT NULL,
            CHECK (refunded_cents <= captured_cents))
        """,
        """
        CREATE INDEX booking_payments_due ON booking_payments (auth_scheduled_for, booking_id)
        WHERE auth_scheduled_for IS NOT NULL
        """,
        """
        CREATE INDEX booking_payments_captures ON booking_payments (step_failed_at)
        WHERE failed_step = 'capture'
        """,
        """
        CREATE TABLE booking_no_shows (
            booking_id \(.id) PRIMARY KEY REFERENCES bookings (id), reported_by \(.id) NOT NULL,
            reported_at BIGINT NOT NULL, type TEXT NOT NULL CHECK (type IN ('instructor', 'student')),
            disputed_at BIGINT, dispute_reason TEXT, resolved_at BIGINT, resolution TEXT, notes TEXT,
            previous_payment_status TEXT)
        """,
        "CREATE INDEX booking_no_shows_open ON booking_no_shows (reported_at) WHERE resolved_at IS NULL",
    ]
}
