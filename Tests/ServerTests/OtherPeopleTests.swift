import Features
import JSON
import Kernel
import NIOHTTP1
import Server
import Storage
import TestSupport
import Testing

/// Nobody reaches what is somebody else's: every path of the API description that
/// holds an id is called with each id of one person by another.
@Suite struct OtherPeopleTests {
    private static let password = "Correct-horse-7"

    @Test(arguments: TestDatabase.available)
    func anIdOfSomebodyElseIsForbiddenOrNotThere(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let owner = try await Self.person(server, "owner@example.com", ["instructor", "student"])
            let stranger = try await Self.person(server, "stranger@example.com", ["instructor", "student"])
            try await Self.furnish(server, owner)
            let ids = try await Self.belongings(server, owner.id)
            #expect(ids.count >= 8, "\(ids)")
            let document = try await server.send(.GET, "/openapi.json").json
            var called = 0
            for (path, item) in try #require(document["paths"]?.objectValue) where path.contains("{") {
                for (method, operation) in item.objectValue ?? [:] {
                    // What is for anyone is public on purpose, and programs' routes know no people.
                    guard operation["security"]?.arrayValue?.first?["accessToken"] != nil,
                        Self.takesOnlyIDs(operation)
                    else { continue }
                    for id in ids {
                        let answer = try await server.send(
                            HTTPMethod(rawValue: method.uppercased()), Self.filled(path, id),
                            token: stranger.token, headers: [("Content-Type", "application/json")],
                            body: method == "get" ? nil : Self.body(operation).encoded())
                        called += 1
                        #expect(
                            [403, 404].contains(answer.status),
                            "\(method) \(path) with \(id) answered \(answer.status): \(answer.json.text.prefix(300))"
                        )
                    }
                }
            }
            #expect(called > 200)
            // And all of it is still there.
            #expect(try await Self.belongings(server, owner.id) == ids)
        }
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
            status: nil)
        let service: String? = try await server.platform.database.read { db in
            try db.value("SELECT MIN(id) FROM service_catalog WHERE online_capable")
        }
        try await server.json(
            .POST, "services/instructor/add",
            ["service_catalog_id": .string(try #require(service)), "hourly_rate": 150], owner.token,
            status: 201)
        let other = try await person(server, "teacher@example.com", ["instructor"])
        let conversation = try await server.json(
            .POST, "conversations", ["instructor_id": .string(other.id)], owner.token, status: nil)
        let id = conversation["id"]?.stringValue ?? conversation["conversation"]?["id"]?.stringValue ?? ""
        try await server.json(
            .POST, "conversations/\(id)/messages", ["content": "Hello"], owner.token, status: nil)
        try await server.json(
            .POST, "conversations/\(id)/messages", ["content": "Hello back"], other.token, status: nil)
        try await server.json(
            .POST, "search-history", ["search_query": "piano", "search_type": "natural_language"],
            owner.token,
            status: nil)
    }

    /// Ids of rows that name the person as theirs, whichever table they are in.
    private static func belongings(_ server: TestServer, _ owner: String) async throws -> [String] {
        try await server.platform.database.read { db in
            var ids: Set<String> = [owner]
            for (table, column) in [
                ("user_addresses", "user_id"), ("blackout_dates", "instructor_id"),
                ("user_sessions", "user_id"),
                ("instructor_profiles", "user_id"), ("conversations", "student_id"),
                ("messages", "sender_id"),
                ("notifications", "user_id"), ("search_history", "user_id"), ("trusted_devices", "user_id"),
            ] {
                let found: [String] = try db.values(
                    "SELECT id FROM \(identifier: table) WHERE \(identifier: column) = \(owner)")
                ids.formUnion(found)
            }
            let services: [String] = try db.values(
                """
                SELECT s.id FROM instructor_services s JOIN instructor_profiles p ON p.id = s.instructor_profile_id
                WHERE p.user_id = \(owner) AND s.is_active
                """)
            return ids.union(services).sorted()
        }
    }

    private static func takesOnlyIDs(_ operation: JSONValue) -> Bool {
        let inPath = operation["parameters"]?.arrayValue?.filter { $0["in"] == "path" } ?? []
        return !inPath.isEmpty && inPath.allSatisfy { $0["schema"]?["minLength"] == 26 }
    }

    private static func filled(_ path: String, _ id: String) -> String {
        path.replacing(/\{[^}]*\}/, with: id)
    }

    /// The least that the description asks for, so that no refusal is about the body.
    private static func body(_ operation: JSONValue) -> JSONValue {
        sample(operation["requestBody"]?["content"]?["application/json"]?["schema"] ?? ["type": "object"])
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
            if schema["minLength"] == 26 { return "01M83G4F6A82TMWD4Y4VPY3R46" }
            return .string(String(repeating: "x", count: max(3, schema["minLength"]?.intValue ?? 3)))
        }
    }
}
