import Kernel
import Storage

extension PersonalTable {
    /// Every table that holds something about a person, children before their parents.
    static let all: [PersonalTable] = access + marketplace + words + searches + money + platform

    /// How they get in. All secrets, of no use to anybody once the account is gone.
    private static let access: [PersonalTable] = [
        PersonalTable(
            "refresh_tokens",
            { "session_id IN (SELECT id FROM user_sessions WHERE user_id = \($0.id))" }, .deleted),
        PersonalTable(
            "user_sessions", by("user_id"), export: "sessions",
            [.time("created_at"), .time("last_used_at"), "ip", "user_agent"], .deleted),
        PersonalTable("guest_sessions", by("converted_user_id"), .deleted),
        PersonalTable("sign_in_failures", { "email = \($0.email)" }, .deleted),
        PersonalTable("password_reset_tokens", by("user_id"), .deleted),
        PersonalTable("phone_codes", by("user_id"), .deleted),
        PersonalTable("totp_pending", by("user_id"), .deleted),
        PersonalTable("totp_secrets", by("user_id"), .deleted),
        PersonalTable("backup_codes", by("user_id"), .deleted),
        PersonalTable(
            "trusted_devices", by("user_id"), export: "trusted_devices",
            ["name", .time("created_at"), .time("expires_at"), "ip", "user_agent"], .deleted),
        PersonalTable(
            "user_roles", by("user_id"), export: "roles", ["role", .time("assigned_at")], .deleted),
        PersonalTable(
            "user_permissions", by("user_id"), export: "permissions", ["permission", .flag("granted")],
            .deleted),
    ]

    /// What they offered and where.
    private static let marketplace: [PersonalTable] = [
        PersonalTable(
            "user_addresses", by("user_id"), export: "addresses",
            [
                "label", "custom_label", "recipient_name", "street_line1", "street_line2", "locality",
                "administrative_area", "postal_code", "country_code", .flag("is_default"),
                .time("created_at"),
            ], .deleted),
        PersonalTable(
            "instructor_service_areas", by("instructor_id"), export: "service_areas",
            ["neighborhood_id", "coverage_type", .flag("is_active"), .time("created_at")], .deleted),
        PersonalTable(
            "instructor_services", profile("instructor_profile_id"), export: "services",
            [
                "service_catalog_id", .number("hourly_rate_cents"), "description", .json("duration_options"),
                .flag("is_active"), .time("created_at"),
            ],
            .blanked("description = NULL, requirements = NULL, experience_level = NULL, is_active = FALSE")),
        PersonalTable("availability_days", by("instructor_id"), .deleted),
        PersonalTable("availability_calendars", by("instructor_id"), .deleted),
        PersonalTable(
            "blackout_dates", by("instructor_id"), export: "blackout_dates", ["date", "reason"], .deleted),
        PersonalTable(
            "instructor_lifecycle_events", by("user_id"), export: "lifecycle_events",
            ["event_type", .time("occurred_at")], .kept("Counts of the funnel; no more than a date.")),
        PersonalTable(
            "bgc_consent", profile("instructor_id"), export: "consents",
            [.time("consented_at"), "consent_version", "disclosure_version", "ip_address"],
            .kept("Proof of consent to a background check, which the FCRA wants kept.")),
        PersonalTable("bgc_requests", profile("instructor_id"), .kept("Provider's ids of a legal record.")),
        PersonalTable(
            "bgc_adverse_action_events", profile("profile_id"), .kept("Proof of the notices of the FCRA.")),
        PersonalTable(
            "background_checks", profile("instructor_id"), export: "background_checks",
            ["result", .time("completed_at")], .kept("A legal record; holds no words of theirs.")),
        PersonalTable(
            "checkr_sandbox_candidates",
            { "custom_id IN (SELECT id FROM instructor_profiles WHERE user_id = \($0.id))" },
            .blanked("email = 'deleted', first_name = 'Deleted', last_name = 'User'")),
        PersonalTable(
            "instructor_profiles", by("user_id"), export: "instructor_profile",
            [
                "bio", .number("years_experience"), .number("min_advance_booking_hours"),
                .number("buffer_time_minutes"), .flag("is_live"), .time("created_at"), .time("updated_at"),
            ],
            .blanked(
                "bio = NULL, is_live = FALSE, bgc_note = NULL, bgc_dispute_note = NULL, bgc_report_id = NULL")
        ),
    ]

    /// What they wrote.
    private static let words: [PersonalTable] = [
        PersonalTable("conversation_user_state", by("user_id"), .deleted),
        PersonalTable("message_notifications", by("user_id"), .deleted),
        PersonalTable(
            "messages", by("sender_id"), export: "messages_sent",
            ["conversation_id", "content", .time("created_at"), .flag("is_deleted")],
            .blanked(
                "content = '[deleted]', is_deleted = TRUE, deleted_at = COALESCE(deleted_at, created_at)")),
        PersonalTable(
            "conversations", { "student_id = \($0.id) OR instructor_id = \($0.id)" },
            .kept("The other one's half; holds no words.")),
        PersonalTable(
            "review_responses", by("instructor_id"), export: "review_responses",
            ["review_id", "response_text", .time("created_at")], .blanked("response_text = '[deleted]'")),
        PersonalTable(
            "reviews", by("student_id"), export: "reviews",
            ["booking_id", .number("rating"), "review_text", "status", .time("created_at")],
            .blanked("review_text = NULL")),
        PersonalTable("instructor_ratings", by("instructor_id"), .kept("Sums of what others gave.")),
        PersonalTable(
            "notifications", by("user_id"), export: "notifications",
            ["category", "type", "title", "body", .time("created_at"), .time("read_at")], .deleted),
        PersonalTable(
            "notification_preferences", by("user_id"), export: "notification_preferences",
            ["category", "channel", .flag("enabled")], .deleted),
    ]

    private static let searches: [PersonalTable] = [
        PersonalTable(
            "search_history", { "user_id = \($0.id) OR converted_to_user_id = \($0.id)" },
            export: "search_history",
            [
                "search_query", "search_type", .number("results_count"), .number("search_count"),
                .time("first_searched_at"), .time("last_searched_at"),
            ], .deleted),
        PersonalTable("search_events", by("user_id"), .deleted),
        // The question stays, for it is how a marketplace learns what is missing; who asked does not.
        PersonalTable("search_queries", by("user_id"), .blanked("user_id = NULL, session_id = NULL")),
    ]

    /// What was promised, paid and invited. Kept by law; names nobody but by id.
    private static let money: [PersonalTable] = [
        // Reports that they did not come, and what they say to it.
        PersonalTable(
            "booking_no_shows",
            {
                """
                booking_id IN (SELECT b.id FROM bookings b
                    WHERE CASE WHEN type = 'student' THEN b.student_id ELSE b.instructor_id END = \($0.id))
                """
            }, export: "no_shows",
            ["booking_id", "type", .time("reported_at"), "dispute_reason", "resolution"],
            .blanked("dispute_reason = NULL, notes = NULL")),
        PersonalTable(
            "bookings", { "student_id = \($0.id) OR instructor_id = \($0.id)" }, export: "bookings",
            [
                "id", "status", "student_id", "instructor_id", "service_name", .number("total_price_cents"),
                .time("booking_start_utc"), .time("created_at"),
            ], .blanked(bookingBlank)),
        PersonalTable(
            "referral_codes", by("referrer_user_id"), .blanked("status = 'disabled', vanity_slug = NULL")),
        PersonalTable("referral_fingerprints", by("user_id"), .deleted),
        PersonalTable(
            "referral_attributions", { "referrer_user_id = \($0.id) OR referred_user_id = \($0.id)" },
            .kept("Basis of rewards that were paid.")),
        PersonalTable("referral_limits", by("user_id"), .kept("A count.")),
        PersonalTable(
            "referral_rewards", { "referrer_user_id = \($0.id) OR referred_user_id = \($0.id)" },
            .kept("Financial records.")),
        PersonalTable(
            "wallet_transactions", by("user_id"), export: "credits",
            ["type", .number("amount_cents"), .time("created_at")], .kept("Financial records.")),
        PersonalTable(
            "instructor_referral_payouts",
            { "referrer_user_id = \($0.id) OR referred_instructor_id = \($0.id)" },
            .kept("Financial records.")),
        PersonalTable("beta_invite_batch_items", { "email = \($0.email)" }, .blanked("email = 'deleted'")),
        PersonalTable(
            "beta_invites", { "used_by_user_id = \($0.id) OR email = \($0.email)" },
            .blanked("email = NULL, note = NULL")),
        PersonalTable(
            "beta_access", by("user_id"), export: "beta_access", ["role", "phase", .time("granted_at")],
            .kept("That the person was invited; not who they are.")),
        PersonalTable(
            "stripe_connected_accounts", profile("instructor_profile_id"),
            .kept("The provider's id of an account that was paid.")),
        PersonalTable(
            "payment_methods", by("user_id"), export: "payment_methods",
            ["brand", "last4", .flag("is_default"), .time("created_at")], .deleted),
        PersonalTable("stripe_customers", by("user_id"), .kept("The provider's id of who paid.")),
        PersonalTable(
            "platform_credits", by("user_id"), export: "lesson_credits",
            [
                .number("amount_cents"), "source_type", "status", .time("created_at"), .time("expires_at"),
            ], .kept("Financial records.")),
        PersonalTable(
            "ledger_movements", { "student_id = \($0.id) OR instructor_id = \($0.id)" },
            .kept("Financial records.")),
        PersonalTable("instant_payouts", profile("instructor_profile_id"), .kept("Financial records.")),
    ]

    /// The lesson and its price are financial records; where it was and what was said of it are not.
    private static let bookingBlank: SQL = """
        student_note = NULL, instructor_note = NULL, meeting_location = NULL, location_address = NULL, \
        location_lat = NULL, location_lng = NULL, location_place_id = NULL, cancellation_reason = NULL
        """

    /// By where they went, and by whom they are about: numbers change.
    private static let messages: @Sendable (Person) -> SQL = { person in
        """
        (recipient \(in: [person.email, person.phone ?? person.email])
        OR aggregate_id = \(person.id.description))
        """
    }

    /// What the platform itself keeps of calls and messages.
    private static let platform: [PersonalTable] = [
        PersonalTable(
            "mailbox_messages",
            { "id IN (SELECT id FROM event_outbox WHERE \(messages($0)))" }, .deleted),
        PersonalTable("event_outbox", messages, .blanked(outboxBlank)),
        PersonalTable("idempotency_keys", { "actor = \("user:\($0.id)")" }, .deleted),
        PersonalTable("confirmations", { "actor = \("user:\($0.id)")" }, .deleted),
        PersonalTable(
            "audit_logs", { "actor_id = \($0.id.description)" },
            .kept("Names people by their ids alone; proofs would break.")),
    ]
}
