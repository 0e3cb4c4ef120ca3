import JSON
import Kernel
import Storage

/// Rows that the rest of the marketplace would write.
enum DemoRows {
    static func booking(
        _ payment: DemoEvents.Payment, student: ULID, instructor: ULID, amount: Int, _ tx: Transaction,
        _ context: Context
    ) throws {
        try tx.runMany([
            """
            INSERT INTO bookings (id, student_id, instructor_id, status, payment_status, created_at, updated_at)
            VALUES (\(payment.bookingID), \(student), \(instructor), 'PENDING', 'scheduled', \(context.now), \
            \(context.now))
            """,
            """
            INSERT INTO payment_intents (id, booking_id, stripe_payment_intent_id, amount, application_fee, status, \
            status_at, created_at, updated_at) VALUES (\(context.newID()), \(payment.bookingID), \
            \(payment.intentID), \(amount), \(amount == payment.amount ? amount / 5 : payment.amount), \
            'requires_confirmation', \(context.now), \(context.now), \(context.now))
            """,
        ])
    }

    /// The made-up data fix: a row that was written with half its amount keeps
    /// the true one in `application_fee` until this mends it.
    static func mendAmounts(_ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE payment_intents SET amount = application_fee, application_fee = application_fee / 5, \
            updated_at = \(context.now) WHERE application_fee > amount
            """)
    }

    private static let actions: [(action: String, resource: String, weight: Int)] = [
        ("user.login", "user", 46), ("booking.create", "booking", 18), ("user.update", "user", 6),
        ("user.logout", "user", 10), ("booking.cancel", "booking", 5), ("user.password_change", "user", 1),
        ("instructor.availability_update", "instructor", 9), ("user.create", "user", 2),
    ]

    /// What somebody did in the marketplace, or looked at in the tools.
    static func entry(
        _ random: inout DemoRandom, _ students: [ULID], _ admins: [Actor], _ index: Int,
        environment: Environment
    ) -> AuditEntry {
        if index % 12 == 5, let admin = admins.randomElement(using: &random) {
            let (action, title) = random.pick(
                [
                    ("mcp.webhooks", "List webhooks"), ("mcp.webhooks.failed", "Failed webhooks"),
                    ("mcp.audit.search", "Search audit log"),
                    ("mcp.audit.admin-actions.recent", "Recent admin actions"),
                ], ("mcp.webhooks", "List webhooks"))
            let context = Context(
                actor: admin, surface: .mcp, client: ClientInfo(name: "claude-code", version: "2.1.0"),
                ip: "10.0.0.\(Int.random(in: 2...9, using: &random))", environment: environment)
            return AuditEntry(
                context, category: .read, action: action, subject: Subject("mcp", nil), description: title)
        }
        let user = students.randomElement(using: &random) ?? environment.ids.next()
        let total = actions.reduce(0) { $0 + $1.weight }
        var left = Int.random(in: 0..<total, using: &random)
        let chosen =
            actions.first {
                left -= $0.weight; return left < 0
            } ?? actions[0]
        let number = students.firstIndex(of: user) ?? 0
        let actor = Actor(
            type: .user, id: user.description, email: "student\(number)@example.com",
            name: "student \(number)")
        let context = Context(
            actor: actor, surface: .rest, ip: "198.51.100.\(Int.random(in: 1...250, using: &random))",
            userAgent: "Mozilla/5.0", environment: environment)
        let isFailure = chosen.action == "user.login" && random.chance(4)
        return AuditEntry(
            context, category: .user, action: chosen.action,
            subject: Subject(
                chosen.resource, chosen.resource == "user" ? user.description : context.newID().description),
            status: isFailure ? .failed : .success, error: isFailure ? "Wrong password" : nil)
    }
}
