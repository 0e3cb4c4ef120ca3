import Features
import JSON
import Kernel
import Storage

/// The people of the demo and what they do beside paying: made through the record
/// types of the marketplace, the same every time.
struct DemoMarket: Sendable {
    static let instructors = 200
    static let students = 2_000
    static let searches = 50_000
    static let invites = 500
    /// Of everybody who is in the demo; nobody can guess the rest of the hash.
    static let password = "Demo-password-1"

    struct Instructor: Sendable {
        var profile: ULID
        var user: ULID
        var candidate: String
        var account: String
    }

    private(set) var instructors: [Instructor] = []
    private(set) var students: [ULID] = []
    private(set) var promised: [String] = []
    private var random = DemoRandom(seed: 31)
    private var services: [CatalogService] = []
    private var regions: [ULID] = []
    private var hash = ""
    private var count = 0

    private static let firstNames = [
        "Maria", "James", "Aisha", "Noah", "Chen", "Olivia", "Diego", "Priya", "Liam", "Sofia", "Kofi",
        "Emma",
        "Yuki", "Lucas", "Fatima", "Ethan", "Ines", "Omar", "Grace", "Leo",
    ]
    private static let lastNames = [
        "Lopez", "Okafor", "Nguyen", "Cohen", "Smith", "Patel", "Rossi", "Kim", "Baker", "Haddad", "Silva",
        "Moore",
        "Tanaka", "Weber", "Jones", "Diaz", "Novak", "Brown", "Ali", "Clark",
    ]
    private static let zips = [
        "10001", "10011", "10024", "10128", "11201", "11215", "11101", "10451", "10301",
    ]
    private static let words = [
        "piano", "guitar", "math tutor", "spanish", "yoga", "swimming", "sat prep", "drums", "chess",
        "singing",
        "piano for kids", "french lessons", "violin", "python", "tennis", "kazoo", "unicycle", "latin",
        "cello",
    ]

    /// Reads what the catalogue has and hashes the one password.
    mutating func prepare(_ platform: Platform) async throws {
        hash = try await PasswordHash.make(Self.password).text
        (services, regions) = try await platform.database.read { db in
            (try CatalogService.active(db), try db.values("SELECT id FROM region_boundaries ORDER BY id"))
        }
    }

    /// Adds people who register now, an administrator's invitations for some of them first.
    /// - Returns: the instructors among them.
    mutating func register(
        instructors: Int, students: Int, invites: Int, _ context: Context, _ platform: Platform
    )
        async throws -> [Instructor]
    {
        var plan: [Registration] = []
        for index in 0..<(instructors + students) {
            plan.append(registration(isInstructor: index < instructors))
        }
        let (people, wanted) = (plan, invites)
        let made = try await platform.database.transaction(context, category: .automated) { tx, _ in
            let remaining = try max(
                0, FoundingPlaces.remaining(tx) - Invite.outstandingFounding(tx, now: context.now))
            let drafts = (0..<wanted).map { index in
                NewInvite(
                    email: "teacher\(people.first?.number ?? 0)-\(index)@example.com",
                    grantsFounding: index < min(remaining, 3), expiresInDays: 14, source: "demo")
            }
            let codes = try Invite.create(drafts, tx, context).map(\.code)
            var result: [(instructor: Instructor?, student: ULID?)] = []
            for (index, person) in people.enumerated() {
                let code = index < codes.count && person.offer != nil ? codes[index] : nil
                result.append(try person.register(code: code, tx, context))
            }
            return result
        }
        let new = made.compactMap(\.instructor)
        self.instructors += new
        self.students += made.compactMap(\.student)
        return new
    }

    private mutating func registration(isInstructor: Bool) -> Registration {
        count += 1
        let first = random.pick(Self.firstNames, "Maria")
        let last = random.pick(Self.lastNames, "Lopez")
        let kind = isInstructor ? "teacher" : "student"
        let draft = User.Draft(
            email: "\(kind)\(count)@example.com", hashedPassword: hash, firstName: first, lastName: last,
            phone: random.chance(60) ? "+1212555\(1_000 + count % 9_000)" : nil,
            zipCode: random.pick(Self.zips, "10001"))
        guard isInstructor else { return Registration(number: count, draft: draft, offer: nil) }
        return Registration(number: count, draft: draft, offer: offer())
    }

    private mutating func offer() -> Registration.Offer {
        let chosen = (0..<Int.random(in: 1...3, using: &random)).compactMap { _ in
            services.randomElement(using: &random)?.id
        }
        let days = (0..<45).filter { _ in random.chance(60) }
        let start = 60 * Int.random(in: 7...12, using: &random)
        return Registration.Offer(
            services: Array(Set(chosen)).sorted(), cents: 100 * Int.random(in: 80...220, using: &random),
            years: Int.random(in: 0...25, using: &random), days: days,
            window: DayWindow(
                startMinute: start, endMinute: start + 60 * Int.random(in: 3...9, using: &random)),
            regions: (0..<3).compactMap { _ in regions.randomElement(using: &random) },
            candidate: random.token("cand_"), account: random.token("acct_1"),
            isVerified: random.chance(85), isComplete: random.chance(90))
    }

    /// Searches of one hour, some with a click.
    mutating func search(_ count: Int, _ context: Context, _ platform: Platform) async throws {
        var records: [SearchRecord] = []
        for _ in 0..<count {
            let word = random.pick(Self.words, "piano")
            let matching = services.filter {
                word.contains($0.name.lowercased()) || $0.name.lowercased().contains(word)
            }
            let results = matching.isEmpty ? 0 : Int.random(in: 1...14, using: &random)
            records.append(
                SearchRecord(
                    id: context.newID(), query: random.chance(20) ? word.uppercased() : word, resultIDs: [],
                    serviceIDs: matching.prefix(2).map(\.id), resultCount: results,
                    userID: random.chance(70) ? students.randomElement(using: &random) : nil,
                    sessionID: random.token("s_"),
                    latencyMilliseconds: Int.random(in: 2...40, using: &random),
                    isDegraded: false))
        }
        let clicks = records.filter { $0.resultCount > 0 && random.chance(30) }.map { record in
            (
                record, random.pick(instructors.map(\.profile), record.id),
                random.pick(["view", "view", "message", "book"], "view")
            )
        }
        let (all, clicked) = (records, clicks)
        try await platform.database.transaction(context, category: .automated) { tx, _ in
            try SearchRecord.insert(all, tx, at: context.now)
            try tx.runMany(
                SQL.inserts(
                    """
                    INSERT INTO search_clicks (id, search_query_id, service_id, instructor_id, position, action, \
                    created_at) VALUES
                    """,
                    clicked.map { record, profile, action in
                        """
                        (\(context.newID()), \(record.id), \(record.serviceIDs.first), \(profile), 1, \(action), \
                        \(context.now))
                        """
                    }))
        }
    }

    /// What happens in a day among those who know each other: messages, lessons that end, reviews;
    /// and whoever passed their check goes live.
    mutating func liveADay(_ lessons: [ULID], _ context: Context, _ platform: Platform) async throws {
        let pairs = (0..<30).compactMap { _ -> (ULID, ULID)? in
            guard let student = students.randomElement(using: &random),
                let instructor = instructors.randomElement(using: &random)?.user
            else { return nil }
            return (student, instructor)
        }
        let ratings = lessons.map { _ in random.pick([5, 5, 5, 4, 4, 3, 2], 5) }
        try await platform.database.transaction(context, category: .automated) { tx, _ in
            for (student, instructor) in pairs {
                let (conversation, _) = try Conversation.open(
                    student: student, instructor: instructor, tx, context)
                _ = try conversation.write("Are you free next week?", from: student, tx, context)
                _ = try conversation.write("Yes, any afternoon.", from: instructor, tx, context)
            }
            for (id, rating) in zip(lessons, ratings) {
                guard var booking = try Booking.lock(id, tx) else { continue }
                try booking.move(to: .completed, tx, context)
                guard rating != 2,
                    let student: ULID = try tx.value("SELECT student_id FROM bookings WHERE id = \(id)")
                else { continue }
                _ = try Review.write(
                    booking: id, student: student, rating: rating, text: "A good lesson.", tx, context)
            }
            let ready: [ULID] = try tx.values(
                """
                SELECT id FROM instructor_profiles WHERE bgc_status = 'passed' AND NOT is_live
                AND identity_verified_at IS NOT NULL AND skills_configured ORDER BY id LIMIT 20
                """)
            for id in ready {
                try InstructorProfile.lock(id, tx)?.setLive(true, as: "instructor.go_live", tx, context)
            }
        }
    }
}
