import Storage

/// The tables of referrals (domain specification §1.10), with ULIDs throughout.
let referralMigration = Migration("0144_referrals") { dialect in
    [
        """
        CREATE TABLE referral_codes (
            id \(.id) PRIMARY KEY, code \(.text) NOT NULL UNIQUE, vanity_slug \(.text) UNIQUE,
            referrer_user_id \(.id) NOT NULL REFERENCES users (id),
            status TEXT NOT NULL CHECK (status IN ('active', 'disabled')),
            channel TEXT, created_at BIGINT NOT NULL)
        """,
        """
        CREATE UNIQUE INDEX referral_codes_active ON referral_codes (referrer_user_id)
        WHERE status = 'active'
        """,
        """
        CREATE TABLE referral_clicks (
            id \(.id) PRIMARY KEY, code_id \(.id) NOT NULL REFERENCES referral_codes (id), channel TEXT,
            ip_hash TEXT, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX referral_clicks_code ON referral_clicks (code_id, id)",
        """
        CREATE TABLE referral_fingerprints (
            user_id \(.id) NOT NULL REFERENCES users (id),
            kind TEXT NOT NULL CHECK (kind IN ('ip', 'device')), hash \(.text) NOT NULL,
            seen_at BIGINT NOT NULL, PRIMARY KEY (user_id, kind, hash))
        """,
        """
        CREATE TABLE referral_attributions (
            id \(.id) PRIMARY KEY, code_id \(.id) NOT NULL REFERENCES referral_codes (id),
            referrer_user_id \(.id) NOT NULL REFERENCES users (id),
            referred_user_id \(.id) NOT NULL UNIQUE REFERENCES users (id), source TEXT NOT NULL,
            ts BIGINT NOT NULL, guest_first_seen BIGINT, CHECK (referrer_user_id <> referred_user_id))
        """,
        "CREATE INDEX referral_attributions_referrer ON referral_attributions (referrer_user_id, id)",
        """
        CREATE TABLE referral_config (
            version INTEGER PRIMARY KEY CHECK (version >= 1), student_amount_cents BIGINT NOT NULL,
            instructor_amount_cents BIGINT NOT NULL, instructor_founding_bonus_cents BIGINT NOT NULL,
            min_basket_cents BIGINT NOT NULL, hold_days INTEGER NOT NULL, expiry_months INTEGER NOT NULL,
            student_global_cap INTEGER NOT NULL, created_at BIGINT NOT NULL)
        """,
        "INSERT INTO referral_config VALUES (1, 2000, 5000, 7500, 8000, 7, 6, 20, 0)",
    ] + Migration.appendOnly("referral_config", dialect)
}

/// What referrals earn, and what was paid of it.
let referralRewardMigration = Migration("0145_referral_rewards") { dialect in
    [
        """
        CREATE TABLE referral_limits (
            user_id \(.id) PRIMARY KEY REFERENCES users (id),
            student_rewards INTEGER NOT NULL CHECK (student_rewards >= 0))
        """,
        """
        CREATE TABLE referral_rewards (
            id \(.id) PRIMARY KEY, referrer_user_id \(.id) NOT NULL REFERENCES users (id),
            referred_user_id \(.id) NOT NULL REFERENCES users (id),
            booking_id \(.id) NOT NULL, side TEXT NOT NULL CHECK (side IN ('student', 'instructor')),
            amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
            status TEXT NOT NULL CHECK (status IN ('pending', 'unlocked', 'redeemed', 'void')),
            unlock_ts BIGINT NOT NULL, expire_ts BIGINT NOT NULL, rule_version INTEGER NOT NULL,
            void_reason TEXT, idempotency_key \(.text) NOT NULL UNIQUE, created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL, CHECK ((status = 'void') = (void_reason IS NOT NULL)))
        """,
        "CREATE INDEX referral_rewards_referrer ON referral_rewards (referrer_user_id, status, expire_ts)",
        "CREATE INDEX referral_rewards_booking ON referral_rewards (booking_id)",
        "CREATE INDEX referral_rewards_pending ON referral_rewards (unlock_ts) WHERE status = 'pending'",
        "CREATE INDEX referral_rewards_unlocked ON referral_rewards (expire_ts) WHERE status = 'unlocked'",
        """
        CREATE TABLE wallet_transactions (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL REFERENCES users (id),
            type TEXT NOT NULL CHECK (type IN ('referral_credit', 'fee_rebate')),
            amount_cents BIGINT NOT NULL CHECK (amount_cents > 0),
            reward_id \(.id) NOT NULL UNIQUE REFERENCES referral_rewards (id), order_id \(.text) NOT NULL,
            created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX wallet_transactions_user ON wallet_transactions (user_id, id)",
        """
        CREATE TABLE instructor_referral_payouts (
            id \(.id) PRIMARY KEY, referrer_user_id \(.id) NOT NULL REFERENCES users (id),
            referred_instructor_id \(.id) NOT NULL UNIQUE REFERENCES users (id),
            triggering_booking_id \(.id) NOT NULL,
            amount_cents BIGINT NOT NULL CHECK (amount_cents > 0), was_founding_bonus \(.bool) NOT NULL,
            stripe_transfer_id TEXT, stripe_transfer_status TEXT NOT NULL
                CHECK (stripe_transfer_status IN ('pending', 'completed', 'failed')),
            idempotency_key \(.text) NOT NULL UNIQUE, transferred_at BIGINT, failed_at BIGINT,
            failure_reason TEXT CHECK (length(failure_reason) <= 500), created_at BIGINT NOT NULL,
            updated_at BIGINT NOT NULL,
            CHECK ((stripe_transfer_status = 'completed')
                = (stripe_transfer_id IS NOT NULL AND transferred_at IS NOT NULL)),
            CHECK (stripe_transfer_status <> 'failed'
                OR (failed_at IS NOT NULL AND failure_reason IS NOT NULL)))
        """,
        """
        CREATE INDEX instructor_referral_payouts_open
        ON instructor_referral_payouts (stripe_transfer_status, updated_at)
        WHERE stripe_transfer_status <> 'completed'
        """,
        """
        CREATE INDEX instructor_referral_payouts_referrer
        ON instructor_referral_payouts (referrer_user_id, id)
        """,
    ] + Migration.appendOnly("wallet_transactions", dialect)
}
