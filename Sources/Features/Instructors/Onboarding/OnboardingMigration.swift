import Storage

/// What instructors say of themselves, how far they are, and what they keep of a lesson.
let onboardingMigration = Migration("0120_instructor_onboarding") { _ in
    [
        "ALTER TABLE instructor_profiles ADD COLUMN bio TEXT",
        """
        ALTER TABLE instructor_profiles ADD COLUMN years_experience BIGINT CHECK (years_experience >= 0)
        """,
        """
        ALTER TABLE instructor_profiles ADD COLUMN min_advance_booking_hours BIGINT NOT NULL DEFAULT 2
        CHECK (min_advance_booking_hours >= 0 AND min_advance_booking_hours <= 168)
        """,
        """
        ALTER TABLE instructor_profiles ADD COLUMN buffer_time_minutes BIGINT NOT NULL DEFAULT 0
        CHECK (buffer_time_minutes >= 0 AND buffer_time_minutes <= 60)
        """,
        // Percent, not a fraction: what is below 1 could only be the wrong unit.
        """
        ALTER TABLE instructor_profiles ADD COLUMN current_tier_pct \(.double) NOT NULL DEFAULT 15
        CHECK (current_tier_pct >= 1 AND current_tier_pct <= 100)
        """,
        "ALTER TABLE instructor_profiles ADD COLUMN last_tier_eval_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN is_founding_instructor \(.bool) NOT NULL DEFAULT FALSE",
        "ALTER TABLE instructor_profiles ADD COLUMN founding_granted_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN skills_configured \(.bool) NOT NULL DEFAULT FALSE",
        "ALTER TABLE instructor_profiles ADD COLUMN background_check_object_key TEXT",
        "ALTER TABLE instructor_profiles ADD COLUMN background_check_uploaded_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN onboarding_completed_at BIGINT",
        "ALTER TABLE instructor_profiles ADD COLUMN last_active_at BIGINT",
        // Percent; null means not measured.
        "ALTER TABLE instructor_profiles ADD COLUMN response_rate \(.double)",
        "ALTER TABLE instructor_profiles ADD COLUMN profile_completeness \(.double)",
        // A profile with checks in its history cannot go; it is closed.
        "ALTER TABLE instructor_profiles ADD COLUMN closed_at BIGINT",
        """
        CREATE INDEX instructor_profiles_founding ON instructor_profiles (id)
        WHERE is_founding_instructor
        """,
        "CREATE INDEX instructor_profiles_live ON instructor_profiles (is_live, id)",
        """
        CREATE TABLE instructor_lifecycle_events (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL,
            event_type TEXT NOT NULL CHECK (event_type IN ('registered', 'profile_submitted',
                'services_configured', 'bgc_initiated', 'bgc_completed', 'identity_verified', 'went_live',
                'paused', 'reactivated')),
            occurred_at BIGINT NOT NULL, metadata TEXT, created_at BIGINT NOT NULL)
        """,
        "CREATE INDEX instructor_lifecycle_events_user ON instructor_lifecycle_events (user_id, id)",
        """
        CREATE UNIQUE INDEX instructor_lifecycle_events_stage ON instructor_lifecycle_events (user_id, event_type)
        WHERE event_type NOT IN ('paused', 'reactivated')
        """,
        """
        CREATE INDEX instructor_lifecycle_events_type ON instructor_lifecycle_events (event_type, occurred_at)
        """,
        "CREATE INDEX instructor_lifecycle_events_time ON instructor_lifecycle_events (occurred_at)",
        """
        CREATE TABLE platform_config (
            key TEXT PRIMARY KEY, value_json TEXT NOT NULL, updated_at BIGINT NOT NULL)
        """,
    ]
}
