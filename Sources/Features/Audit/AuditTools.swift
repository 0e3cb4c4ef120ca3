import Kernel
import Storage

/// Searches the audit log by any of its columns.
struct SearchAudit: Query {
    static let name = "audit_search"
    static let title = "Search audit log"
    static let summary =
        "Audit entries by actor, action, resource, status and time, newest first, with counts."
    static let route = Route.get("audit/search")

    @Input("Only this actor's e-mail.", .length(0...255)) var actorEmail: String?
    @Input("Only this actor id.", .length(0...64)) var actorID: String?
    @Input("Only this action, e.g. mcp.webhooks.replay.", .length(0...100)) var action: String?
    @Input("Only this resource type, e.g. webhook or booking.", .length(0...50)) var resourceType: String?
    @Input("Only this resource id.", .length(0...255)) var resourceID: String?
    @Input("Only this status.") var status: AuditStatus?
    @Input("How many hours back to look.", .range(1...720)) var sinceHours = 24
    @Input("Start instead of since_hours, RFC 3339.") var startTime: Instant?
    @Input("End, RFC 3339; now when left out.") var endTime: Instant?
    @Input("Rows to return.", .range(1...500)) var limit = 100
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    @Input("Also surface, client, token and arguments of each entry.") var detail = false

    typealias Output = AuditAnswer

    func run(_ db: Reader, _ context: Context) async throws -> AuditAnswer {
        try await AuditQuery(
            window: TimeWindow(sinceHours: sinceHours, start: startTime, end: endTime, now: context.now),
            sinceHours: sinceHours, actorEmail: actorEmail.nonEmpty, actorID: actorID.nonEmpty,
            action: action.nonEmpty, resourceType: resourceType.nonEmpty, resourceID: resourceID.nonEmpty,
            status: status, limit: limit, cursor: cursor, detail: detail
        ).answer(db, context)
    }
}

/// Shows everything that one person did.
struct AuditUserActivity: Query {
    static let name = "audit_user_activity"
    static let title = "User activity"
    static let summary = "Everything that the actor with this e-mail did, newest first."
    static let route = Route.get("audit/users/:user_email/activity")

    @Input("The actor's e-mail, exactly.", .length(1...255)) var userEmail: String
    @Input("How many days back to look.", .range(1...365)) var sinceDays = 30
    @Input("Rows to return.", .range(1...500)) var limit = 100
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    @Input("Also surface, client, token and arguments of each entry.") var detail = false

    typealias Output = AuditAnswer

    var subject: Subject? { Subject("user", nil) }

    func run(_ db: Reader, _ context: Context) async throws -> AuditAnswer {
        try await AuditQuery(
            window: TimeWindow(sinceHours: sinceDays * 24, start: nil, end: nil, now: context.now),
            sinceHours: sinceDays * 24, actorEmail: userEmail, limit: limit, cursor: cursor, detail: detail
        ).answer(db, context)
    }
}

/// Shows everything that ever happened to one resource.
struct AuditResourceHistory: Query {
    static let name = "audit_resource_history"
    static let title = "Resource history"
    static let summary =
        "Every recorded change of and access to one resource, newest first, without a time limit."
    static let route = Route.get("audit/resources/:resource_type/:resource_id/history")

    @Input("Resource type, e.g. webhook, booking, payment, instructor, token.", .length(1...50))
    var resourceType: String
    @Input("Resource id.", .length(1...255)) var resourceID: String
    @Input("Rows to return.", .range(1...500)) var limit = 50
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    @Input("Also surface, client, token and arguments of each entry.") var detail = false

    typealias Output = AuditAnswer

    var subject: Subject? { Subject(resourceType, resourceID) }

    func run(_ db: Reader, _ context: Context) async throws -> AuditAnswer {
        try await AuditQuery(
            window: nil, sinceHours: 0, resourceType: resourceType, resourceID: resourceID, limit: limit,
            cursor: cursor, detail: detail
        ).answer(db, context)
    }
}

/// Shows what administrators and the platform on their behalf changed.
struct AuditRecentAdminActions: Query {
    static let name = "audit_recent_admin_actions"
    static let title = "Recent admin actions"
    static let summary =
        "What administrators changed, tried to change or were refused, newest first; reads only if asked for."
    static let route = Route.get("audit/admin-actions/recent")

    @Input("How many hours back to look.", .range(1...720)) var sinceHours = 24
    @Input("Start instead of since_hours, RFC 3339.") var startTime: Instant?
    @Input("End, RFC 3339; now when left out.") var endTime: Instant?
    @Input("Rows to return.", .range(1...500)) var limit = 100
    @Input("next_cursor of the page before.", .length(1...200)) var cursor: String?
    @Input("Also what administrators looked at.") var includeReads = false
    @Input("Also what webhooks and jobs changed on their own.") var includeAutomated = false
    @Input("Also surface, client, token and arguments of each entry.") var detail = false

    typealias Output = AuditAnswer

    func run(_ db: Reader, _ context: Context) async throws -> AuditAnswer {
        let categories: [AuditCategory] =
            [.admin] + (includeReads ? [.read] : []) + (includeAutomated ? [.automated] : [])
        return try await AuditQuery(
            window: TimeWindow(sinceHours: sinceHours, start: startTime, end: endTime, now: context.now),
            sinceHours: sinceHours, categories: categories, limit: limit, cursor: cursor, detail: detail
        ).answer(db, context)
    }
}
