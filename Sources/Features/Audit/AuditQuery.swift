import Kernel
import Storage

/// A question to the audit log: filters, window and page, answered completely
/// by the database, never by filtering afterwards.
struct AuditQuery: Sendable {
    /// Where counting by index stops when roll-ups cannot answer.
    static let countCap = 1_000

    var window: TimeWindow?
    var sinceHours: Int
    var actorEmail: String?
    var actorID: String?
    var action: String?
    var resourceType: String?
    var resourceID: String?
    var status: AuditStatus?
    /// nil means all.
    var categories: [AuditCategory]?
    var limit: Int
    var cursor: String?
    var detail: Bool
    /// Whose address `actorEmail` is: their entries name them by their id.
    private var person: ULID?

    init(
        window: TimeWindow? = nil, sinceHours: Int, actorEmail: String? = nil, actorID: String? = nil,
        action: String? = nil, resourceType: String? = nil, resourceID: String? = nil,
        status: AuditStatus? = nil, categories: [AuditCategory]? = nil, limit: Int, cursor: String?,
        detail: Bool
    ) {
        self.window = window
        self.sinceHours = sinceHours
        self.actorEmail = actorEmail
        self.actorID = actorID
        self.action = action
        self.resourceType = resourceType
        self.resourceID = resourceID
        self.status = status
        self.categories = categories
        self.limit = limit
        self.cursor = cursor
        self.detail = detail
    }

    func answer(_ db: Reader, _ context: Context) async throws -> AuditAnswer {
        let place = try PageStart(cursor, filters: key, window: window)
        var query = self
        query.window = place.window
        return try await query.answer(db, from: place, context)
    }

    private func answer(_ db: Reader, from place: PageStart, _ context: Context) async throws -> AuditAnswer {
        let now = context.now
        let (entries, counts) = try await db.read { db -> ([AuditEntry], Counts) in
            var query = self
            query.person = try actorEmail.flatMap { try User.find(email: $0, db)?.id }
            let entries = try query.page(place.after, db)
            return (try People.named(entries, db), try query.count(now, db))
        }
        let shown = try ListPage(
            entries.map { ($0.id, AuditEntryView($0, detail: detail)) }, limit: limit, from: place)
        return AuditAnswer(
            meta: .init(
                sinceHours: sinceHours, totalCount: counts.total, returnedCount: shown.rows.count,
                countsAreCapped: counts.isCapped, startTime: window?.start, endTime: window?.end,
                nextCursor: shown.nextCursor, requestID: context.requestID, generatedAt: now),
            summary: counts.summary, entries: shown.rows)
    }

    private var key: String {
        let parts = [actorEmail, actorID, action, resourceType, resourceID, status?.rawValue].map { $0 ?? "" }
        return (parts + [categories.map { $0.map(\.rawValue).joined(separator: "+") } ?? ""]).joined(
            separator: "\u{1F}")
    }

    private var condition: SQL { condition(within: window?.condition ?? "1 = 1") }

    /// The questions whose answers together are the answer: entries of an address are
    /// those of programs that it owns and those of the person whose it is, which two
    /// indexes find and one condition would not.
    private var parts: [AuditQuery] {
        guard let person, actorEmail != nil else { return [self] }
        var own = self
        (own.actorEmail, own.person) = (nil, nil)
        let isOther = actorID.map { $0 != person.description } ?? false
        own.actorID = person.description
        var programs = self
        programs.person = nil
        return isOther ? [programs] : [programs, own]
    }

    private func condition(within window: SQL) -> SQL {
        var sql = window
        if let actorEmail { sql += " AND actor_email = \(actorEmail)" }
        if let actorID { sql += " AND actor_id = \(actorID)" }
        if let action { sql += " AND action = \(action)" }
        if let resourceType { sql += " AND resource_type = \(resourceType)" }
        if let resourceID { sql += " AND resource_id = \(resourceID)" }
        if let status { sql += " AND status = \(status)" }
        if let categories { sql += " AND category \(in: categories.map(\.rawValue))" }
        return sql
    }

    private func page(_ after: ULID?, _ db: Snapshot) throws -> [AuditEntry] {
        // One category at a time keeps (category, id) in order; a list of them would be sorted.
        let single = parts.flatMap { part -> [AuditQuery] in
            guard let categories = part.categories, categories.count > 1 else { return [part] }
            return categories.map { category in
                var one = part
                one.categories = [category]
                return one
            }
        }
        guard single.count > 1 else { return try single[0].rows(single[0].condition, after, db) }
        return try Array(
            single.flatMap { try $0.rows($0.condition, after, db) }.sorted { $0.id > $1.id }
                .prefix(limit + 1))
    }

    private func rows(_ condition: SQL, _ after: ULID?, _ db: Snapshot) throws -> [AuditEntry] {
        var sql: SQL = "SELECT \(AuditLog.columns) FROM audit_logs WHERE \(condition)"
        if let after { sql += " AND id < \(after)" }
        return try db.all(sql + " ORDER BY id DESC LIMIT \(limit + 1)")
    }
}

// Counting: by roll-ups where they can answer, else by index up to a cap.
extension AuditQuery {
    private struct Counts: Sendable {
        var summary = AuditAnswer.Summary()
        var total = 0
        var isCapped = false

        mutating func add(_ action: String, _ actorType: String, _ status: String, _ count: Int) {
            summary.byAction[action, default: 0] += count
            summary.byActorType[actorType, default: 0] += count
            summary.byStatus[status, default: 0] += count
            total += count
        }
    }

    private func count(_ now: Instant, _ db: Snapshot) throws -> Counts {
        guard let window, actorEmail == nil, actorID == nil, resourceID == nil else {
            return try countByIndex(db)
        }
        var counts = Counts()
        for category in categories ?? AuditCategory.allCases {
            let rows = try AuditLog.tally.part(category.rawValue).counts(
                from: window.start, to: window.countEnd(now: now),
                filters: [action, nil, status?.rawValue, resourceType], db)
            for row in rows { counts.add(row.dimensions[0], row.dimensions[1], row.dimensions[2], row.count) }
        }
        // The rows that roll-ups leave out: of the minute that the window ends in, and
        // those not sealed yet.
        if let remainder = window.remainder {
            try addRows(
                """
                SELECT action, actor_type, status, COUNT(*) FROM audit_logs
                WHERE \(condition(within: remainder))
                AND NOT EXISTS (SELECT 1 FROM audit_pending WHERE entry_id = id)
                GROUP BY action, actor_type, status
                """, to: &counts, db)
        }
        // In two steps: joined, PostgreSQL guesses that a table which is nearly always
        // empty is large, and scans the log.
        let pending: [String] = try db.values("SELECT entry_id FROM audit_pending")
        try addRows(
            """
            SELECT action, actor_type, status, COUNT(*) FROM audit_logs
            WHERE id \(in: pending) AND \(condition) GROUP BY action, actor_type, status
            """, to: &counts, db)
        return counts
    }

    private func countByIndex(_ db: Snapshot) throws -> Counts {
        var counts = Counts()
        for part in parts {
            try addRows(
                """
                SELECT action, actor_type, status, COUNT(*) FROM (
                    SELECT action, actor_type, status FROM audit_logs WHERE \(part.condition)
                    ORDER BY id DESC LIMIT \(Self.countCap)) AS newest
                GROUP BY action, actor_type, status
                """, to: &counts, db)
        }
        counts.isCapped = counts.total >= Self.countCap
        return counts
    }

    private func addRows(_ sql: SQL, to counts: inout Counts, _ db: Snapshot) throws {
        for row in try db.rows(sql) {
            counts.add(try row.get(at: 0), try row.get(at: 1), try row.get(at: 2), try row.get(at: 3))
        }
    }
}
