import JSON
package import Kernel
package import Storage

/// One row of `referral_codes`: what a person gives to those they bring.
package struct ReferralCode: Sendable, RowDecodable {
    /// Words that a slug consists of: lower case, digits, single dashes inside.
    package static let slugLength = 3...40
    static let draws = 20

    package var id: ULID
    package var code: String
    package var slug: String?
    package var referrer: ULID
    package var isActive: Bool
    package var createdAt: Instant

    static let columns: SQL = """
        id, code, vanity_slug, referrer_user_id, status = 'active', created_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        code = try row.get(at: 1)
        slug = try row.get(at: 2)
        referrer = try row.get(at: 3)
        isActive = try row.get(at: 4)
        createdAt = try row.get(at: 5)
    }

    package static func active(of user: ULID, _ db: Snapshot) throws -> ReferralCode? {
        try db.one(
            "SELECT \(columns) FROM referral_codes WHERE referrer_user_id = \(user) AND status = 'active'")
    }

    /// An active one by its code or its slug; a code comes before a slug that reads the same.
    package static func find(_ text: String, _ db: Snapshot) throws -> ReferralCode? {
        let code = InviteCode.normalized(text)
        return try db.one(
            """
            SELECT \(columns) FROM referral_codes WHERE status = 'active'
            AND (code = \(code) OR vanity_slug = \(text.lowercased()))
            ORDER BY CASE WHEN code = \(code) THEN 0 ELSE 1 END LIMIT 1
            """)
    }

    /// The person's active code; made when they have none. Two calls at the same
    /// time get the same one.
    package static func ensure(
        of user: ULID, channel: String? = nil, _ tx: Transaction, _ context: Context,
        draw: () -> String = { InviteCode.random() }
    ) throws -> ReferralCode {
        for _ in 0..<draws {
            if let known = try active(of: user, tx) { return known }
            let made = try tx.run(
                """
                INSERT INTO referral_codes (id, code, referrer_user_id, status, channel, created_at)
                VALUES (\(context.newID()), \(draw()), \(user), 'active', \(channel), \(context.now))
                ON CONFLICT DO NOTHING RETURNING \(columns)
                """
            ).first.map { try ReferralCode(row: $0) }
            if let made {
                try tx.audit("referral.code_create", Subject("referral_code", made.id.description))
                return made
            }
        }
        throw Failure(.internal, "No free referral code was found in \(draws) draws.")
    }

    /// Gives the code a name of its own.
    /// - Throws: ``Kernel/Failure/Code/conflict``, `slug_taken`, when another code has it or is it:
    ///   a link must not lead to somebody else than the code that it reads like.
    package func name(_ slug: String, _ tx: Transaction, _ context: Context) throws {
        let slug = slug.lowercased()
        guard Self.isSlug(slug) else {
            throw Failure.invalid([
                .init("slug", "must have 3 to 40 of a-z and 0-9, with single dashes between")
            ])
        }
        let taken: Int? = try tx.value(
            """
            SELECT 1 FROM referral_codes
            WHERE (vanity_slug = \(slug) OR code = \(InviteCode.normalized(slug))) AND id <> \(id) LIMIT 1
            """)
        let failure = Failure(
            .conflict, "The name '\(slug)' is taken.", hint: "Choose another one.", reason: "slug_taken")
        guard taken == nil else { throw failure }
        do {
            try tx.savepoint {
                try tx.run("UPDATE referral_codes SET vanity_slug = \(slug) WHERE id = \(id)")
            }
        } catch StorageError.uniqueViolation {
            // Somebody took it in between.
            throw failure
        }
        try tx.audit(
            "referral.code_name", Subject("referral_code", id.description),
            changes: changes(
                from: ["slug": self.slug.map { .string($0) } ?? .null], to: ["slug": .string(slug)]))
    }

    static func isSlug(_ text: String) -> Bool {
        let words = text.split(separator: "-", omittingEmptySubsequences: false)
        return slugLength.contains(text.utf8.count)
            && words.allSatisfy { word in
                !word.isEmpty
                    && word.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x7A).contains($0) }
            }
    }

    /// Notes that somebody followed the link.
    package func clicked(channel: String?, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            INSERT INTO referral_clicks (id, code_id, channel, ip_hash, created_at)
            VALUES (\(context.newID()), \(id), \(channel), \(context.ip.map(Fingerprint.hash)), \
            \(context.now))
            """)
    }
}
