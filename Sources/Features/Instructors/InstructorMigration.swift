import Storage

let instructorMigration = Migration("0103_instructors") { dialect in
    [
        """
        CREATE TABLE instructor_profiles (
            id \(.id) PRIMARY KEY, user_id \(.id) NOT NULL UNIQUE, is_live \(.bool) NOT NULL, live_since BIGINT,
            bgc_status TEXT CHECK (bgc_status IN ('pending', 'passed', 'review', 'failed', 'consider', 'canceled')),
            bgc_status_at BIGINT, bgc_report_result TEXT, bgc_completed_at BIGINT, bgc_valid_until BIGINT,
            bgc_eta BIGINT, bgc_eta_at BIGINT, bgc_note TEXT, checkr_candidate_id TEXT UNIQUE,
            checkr_invitation_id TEXT, checkr_invitation_at BIGINT,
            identity_verified_at BIGINT, identity_verification_session_id TEXT, identity_session_at BIGINT,
            created_at BIGINT NOT NULL, updated_at BIGINT NOT NULL,
            CONSTRAINT ck_live_requires_bgc_passed CHECK (NOT is_live OR \
            (bgc_status IS NOT NULL AND bgc_status = 'passed')))
        """,
        "CREATE INDEX instructor_profiles_invitation ON instructor_profiles (checkr_invitation_id)",
        """
        CREATE TABLE background_checks (
            id \(.id) PRIMARY KEY, instructor_id \(.id) NOT NULL REFERENCES instructor_profiles (id),
            report_id TEXT NOT NULL, result TEXT NOT NULL, package TEXT, completed_at BIGINT NOT NULL,
            created_at BIGINT NOT NULL, UNIQUE (report_id, completed_at))
        """,
    ] + Migration.appendOnly("background_checks", dialect)
}
