import Features
import JSON
import Kernel
import NIOHTTP1
import Server
import Storage
import TestSupport
import Testing

/// Nobody reaches what is somebody else's: every path and every body of the API
/// description that holds an id is called with each id of one person by another.
@Suite struct OtherPeopleTests {
    private static let password = "Correct-horse-7"

    @Test(arguments: TestDatabase.available)
    func anIdOfSomebodyElseIsForbiddenOrNotThere(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let owner = try await Self.person(server, "owner@example.com", ["instructor", "student"])
            let stranger = try await Self.person(server, "stranger@example.com", ["instructor", "student"])
            try await Self.furnish(server, owner)
            let ids = try await Self.belongings(server, owner.id)
            var called: [String: Int] = [:]
            for call in try await Self.operations(server) where Self.hasID(inPathOf: call.operation) {
                for id in ids {
                    let answer = try await server.send(
                        call.method, Self.filled(call.path, id, call.operation), token: stranger.token,
                        headers: [("Content-Type", "application/json")],
                        body: call.method == .GET ? nil : Self.body(call.operation).encoded())
                    called[call.name, default: 0] += 1
                    #expect(
                        [403, 404].contains(answer.status),
                        "\(call.name) with \(id) answered \(answer.status): \(answer.json.text.prefix(300))")
                }
            }
            #expect(called.count >= 35 && called.values.allSatisfy { $0 == ids.count })
            #expect(called["PUT /api/v1/admin/users/{user_id}/permissions/{permission}"] != nil)
            // And all of it is still there.
            #expect(try await Self.belongings(server, owner.id) == ids)
        }
    }

    /// What anybody may do with an id of somebody else's, and what it answers then.
    private static let open: [String: Int] = [
        // To write to an instructor one has to name them.
        "POST /api/v1/conversations": 201,
        // Names those of the lessons that the caller reviewed: none of them.
        "POST /api/v1/reviews/booking/existing": 200,
    ]

    @Test(arguments: TestDatabase.available)
    func anIdOfSomebodyElseInABodyIsAsGoodAsUnknown(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let owner = try await Self.person(server, "owner@example.com", ["instructor", "student"])
            let stranger = try await Self.person(server, "stranger@example.com", ["instructor", "student"])
            try await Self.furnish(server, owner)
            let ids = try await Self.belongings(server, owner.id)
            var called: Set<String> = []
            for call in try await Self.operations(server) where !Self.hasID(inPathOf: call.operation) {
                for id in ids {
                    guard let body = Self.body(call.operation, holding: id) else { break }
                    called.insert(call.name)
                    let answer = try await server.send(
                        call.method, call.path, token: stranger.token,
                        headers: [("Content-Type", "application/json")], body: body.encoded())
                    let text = answer.json.text.prefix(300)
                    if answer.status == Self.open[call.name] {
                        let isTheirs = call.path.hasSuffix("conversations") && id == owner.id
                        #expect(isTheirs || !text.contains(id), "\(call.name) with \(id) answered \(text)")
                    } else {
                        #expect(
                            [403, 404, 422].contains(answer.status),
                            "\(call.name) with \(id) answered \(answer.status): \(text)")
                    }
                }
            }
            #expect(
                called.isSuperset(of: ["POST /api/v1/reviews", "POST /api/v1/conversations"]), "\(called)")
            #expect(called.isSuperset(of: Self.open.keys))
            #expect(try await Self.belongings(server, owner.id) == ids)
        }
    }

    private struct Call {
        var method: HTTPMethod
        var path: String
        var operation: JSONValue
        var name: String { "\(method.rawValue) \(path)" }
    }

    /// Every operation for people who are signed in, and what guests may delete. What else
    /// is for anyone is public on purpose, and programs' routes know no people.
    private static func operations(_ server: TestServer) async throws -> [Call] {
        let document = try await server.send(.GET, "/openapi.json").json
        var calls: [Call] = []
        for (path, item) in try #require(document["paths"]?.objectValue) {
            for (method, operation) in item.objectValue ?? [:]
            where operation["security"]?.arrayValue?.first?["accessToken"] != nil || method == "delete" {
                calls.append(
                    Call(method: HTTPMethod(rawValue: method.uppercased()), path: path, operation: operation))
            }
        }
        return calls
    }

    private static func person(_ server: TestServer, _ email: String, _ roles: [String]) async throws
        -> (id: String, token: String)
    {
        let id = try await NewPerson(
            email: email, firstName: "Pat", lastName: "Person", roles: roles, zipCode: "10001",
            password: password
        ).create(server.platform, server.platform.context(.system("test"), surface: .cli))
        let answer = try await server.json(
            .POST, "auth/login-with-session", ["email": .string(email), "password": .string(password)], nil)
        return (id.description, try #require(answer["access_token"]?.stringValue))
    }

    /// One of each thing that a person can have.
    private static func furnish(_ server: TestServer, _ owner: (id: String, token: String)) async throws {
        try await server.json(
            .POST, "addresses/me",
            [
                "label": "home", "street_line1": "1 Main St", "locality": "New York",
                "administrative_area": "NY", "postal_code": "10001",
            ], owner.token, status: 201)
        let day = CalendarDay.utc(.now()).adding(days: 30)
        try await server.json(
            .POST, "instructors/availability/blackout-dates", ["date": .string(day.description)], owner.token,
            status: 201)
        let service: String? = try await server.platform.database.read { db in
            try db.value("SELECT MIN(id) FROM service_catalog WHERE online_capable")
        }
        try await server.json(
            .POST, "services/instructor/add",
            ["service_catalog_id": .string(try #require(service)), "hourly_rate": 150], owner.token,
            status: 201)
        let other = try await person(server, "teacher@example.com", ["instructor"])
        let conversation = try await server.json(
            .POST, "conversations", ["instructor_id": .string(other.id)], owner.token, status: 201)
        let id = try #require(conversation["conversation"]?["id"]?.stringValue, "\(conversation)")
        for (content, token) in [("Hello", owner.token), ("Hello back", other.token)] {
            try await server.json(
                .POST, "conversations/\(id)/messages", ["content": .string(content)], token, status: 201)
        }
        try await server.json(
            .POST, "search-history", ["search_query": "piano", "search_type": "natural_language"],
            owner.token, status: 201)
        try await teach(server, owner.id, other.id)
    }

    /// What no route makes, or only with a second factor: lessons with their reviews, as
    /// student and as instructor, and a device.
    private static func teach(_ server: TestServer, _ owner: String, _ other: String) async throws {
        let context = server.platform.context(.system("test"), surface: .cli)
        try await server.platform.database.write { tx in
            let now = context.now
            for (student, instructor) in [(owner, other), (other, owner)] {
                let (booking, review) = (context.newID(), context.newID())
                try tx.run(
                    """
                    INSERT INTO bookings (id, student_id, instructor_id, status, created_at, updated_at)
                    VALUES (\(booking), \(student), \(instructor), 'COMPLETED', \(now), \(now))
                    """)
                try tx.run(
                    """
                    INSERT INTO reviews (id, booking_id, student_id, instructor_id, rating, status, is_verified, \
                    created_at, updated_at)
                    VALUES (\(review), \(booking), \(student), \(instructor), 5, 'published', \(true), \(now), \
                    \(now))
                    """)
            }
            try tx.run(
                """
                INSERT INTO notifications (id, user_id, category, type, title, body, created_at)
                VALUES (\(context.newID()), \(owner), 'messages', 'test', 'Hello', 'Hello', \(now))
                """)
            try tx.run(
                """
                INSERT INTO trusted_devices (id, user_id, token_hash, name, created_at, expires_at)
                VALUES (\(context.newID()), \(owner), 'hash', 'A browser', \(now), \(now + .seconds(86_400)))
                """)
        }
    }

    /// Ids of rows that name the person as theirs, at least one of each table.
    private static func belongings(_ server: TestServer, _ owner: String) async throws -> [String] {
        try await server.platform.database.read { db in
            var ids: Set<String> = [owner]
            let profiles: SQL = "SELECT id FROM instructor_profiles WHERE user_id = \(owner)"
            let tables: [(name: String, condition: SQL)] = [
                ("user_addresses", "user_id = \(owner) AND is_active"),
                ("blackout_dates", "instructor_id = \(owner)"),
                ("user_sessions", "user_id = \(owner) AND revoked_at IS NULL"),
                ("instructor_profiles", "user_id = \(owner)"), ("conversations", "student_id = \(owner)"),
                ("messages", "sender_id = \(owner) AND NOT is_deleted"),
                ("notifications", "user_id = \(owner) AND read_at IS NULL"),
                ("search_history", "user_id = \(owner) AND deleted_at IS NULL"),
                ("trusted_devices", "user_id = \(owner)"),
                ("bookings", "student_id = \(owner)"), ("bookings", "instructor_id = \(owner)"),
                ("reviews", "student_id = \(owner) AND status = 'published'"),
                ("reviews", "instructor_id = \(owner) AND status = 'published'"),
                ("instructor_services", "instructor_profile_id IN (\(profiles)) AND is_active"),
            ]
            for (name, condition) in tables {
                let found: [String] = try db.values(
                    "SELECT id FROM \(identifier: name) WHERE \(condition)")
                #expect(!found.isEmpty, "nothing in \(name)")
                ids.formUnion(found)
            }
            return ids.sorted()
        }
    }

    private static func pathParameters(_ operation: JSONValue) -> [JSONValue] {
        operation["parameters"]?.arrayValue?.filter { $0["in"] == "path" } ?? []
    }

    private static func isID(_ schema: JSONValue?) -> Bool {
        schema?["minLength"] == 26 && schema?["maxLength"] == 26
    }

    private static func hasID(inPathOf operation: JSONValue) -> Bool {
        pathParameters(operation).contains { isID($0["schema"]) }
    }

    /// The path with this id wherever one is asked for, and the least good value elsewhere.
    private static func filled(_ path: String, _ id: String, _ operation: JSONValue) -> String {
        pathParameters(operation).reduce(path) { path, parameter in
            let value = isID(parameter["schema"]) ? id : sample(parameter["schema"] ?? [:]).stringValue
            return path.replacing("{\(parameter["name"]?.stringValue ?? "")}", with: value ?? "x")
        }
    }

    private static func schema(_ operation: JSONValue) -> JSONValue {
        operation["requestBody"]?["content"]?["application/json"]?["schema"] ?? ["type": "object"]
    }

    /// The least that the description asks for, so that no refusal is about the body.
    private static func body(_ operation: JSONValue) -> JSONValue { sample(schema(operation)) }

    /// The same with this id wherever one may be; nil where there is no such place.
    private static func body(_ operation: JSONValue, holding id: String) -> JSONValue? {
        held(schema(operation), id)
    }

    private static func held(_ schema: JSONValue, _ id: String) -> JSONValue? {
        if isID(schema) { return .string(id) }
        if let item = schema["items"] { return held(item, id).map { [$0] } }
        guard let properties = schema["properties"]?.objectValue else { return nil }
        var object = sample(schema).objectValue ?? [:]
        var isHeld = false
        for (name, property) in properties {
            guard let value = held(property, id) else { continue }
            object[name] = value
            isHeld = true
        }
        return isHeld ? .object(object) : nil
    }

    private static func sample(_ schema: JSONValue) -> JSONValue {
        if let words = schema["enum"]?.arrayValue { return words.first ?? .null }
        switch schema["type"]?.stringValue {
        case "object":
            var object: JSONObject = [:]
            for name in schema["required"]?.arrayValue?.compactMap(\.stringValue) ?? [] {
                object[name] = sample(schema["properties"]?[name] ?? [:])
            }
            return .object(object)
        case "array":
            let count = schema["minItems"]?.intValue ?? 0
            return .array((0..<count).map { _ in sample(schema["items"] ?? [:]) })
        case "integer", "number": return schema["minimum"] ?? 1
        case "boolean": return true
        default:
            switch schema["format"]?.stringValue {
            case "date": return .string(CalendarDay.utc(.now()).adding(days: 7).description)
            case "date-time": return .string(Instant.now().description)
            default: break
            }
            if schema["pattern"]?.stringValue?.contains(":[0-5]") == true { return "10:00" }
            if schema["minLength"] == 26 { return "01M83G4F6A82TMWD4Y4VPY3R46" }
            return .string(String(repeating: "x", count: max(3, schema["minLength"]?.intValue ?? 3)))
        }
    }
}
