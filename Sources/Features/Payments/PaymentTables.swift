import Kernel
import Storage

/// What jobs look for, payouts that instructors asked for, and attempts at referral payouts.
let paymentJobMigration = Migration("0194_payment_jobs") { _ in
    [
        "CREATE INDEX payment_events_type ON payment_events (event_type, created_at)",
        "CREATE INDEX ledger_reference ON ledger_movements (reference) WHERE reference IS NOT NULL",
        """
        CREATE INDEX bookings_locked_end ON bookings (booking_end_utc)
        WHERE status IN ('CONFIRMED', 'COMPLETED') AND payment_status = 'locked'
        """,
        "CREATE INDEX booking_payments_transfer ON booking_payments (transfer_id) WHERE transfer_id IS NOT NULL",
        """
        CREATE INDEX booking_payments_top_up ON booking_payments (top_up_transfer_id)
        WHERE top_up_transfer_id IS NOT NULL
        """,
        """
        CREATE INDEX booking_payments_payout ON booking_payments (payout_transfer_id)
        WHERE payout_transfer_id IS NOT NULL
        """,
        "CREATE INDEX payment_intents_created ON payment_intents (created_at, id)",
        "CREATE INDEX instructor_payout_events_profile ON instructor_payout_events (instructor_profile_id, id)",
        """
        CREATE TABLE instant_payouts (
            id \(.id) PRIMARY KEY, instructor_profile_id \(.id) NOT NULL, stripe_account_id TEXT NOT NULL,
            amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
            state TEXT NOT NULL CHECK (state IN ('pending', 'paid', 'failed')), payout_id TEXT, problem TEXT,
            created_at BIGINT NOT NULL, finished_at BIGINT)
        """,
        """
        CREATE UNIQUE INDEX instant_payouts_pending ON instant_payouts (instructor_profile_id)
        WHERE state = 'pending'
        """,
        "ALTER TABLE instructor_referral_payouts ADD COLUMN transfer_round INTEGER NOT NULL DEFAULT 1",
    ]
}
