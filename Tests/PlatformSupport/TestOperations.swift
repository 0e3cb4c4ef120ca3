import JSON
package import Kernel
package import Storage

/// Operations without a domain, for tests of the runner itself.
package enum TestOperations {
    package static let feature = Feature(
        name: "test", summary: "Operations of the tests.",
        operations: [Echo.self, SetNumber.self, WipeNumber.self, Blunder.self, Peek.self],
        migrations: [
            Migration("9002_numbers") { _ in
                [
                    "CREATE TABLE numbers (id TEXT PRIMARY KEY, value BIGINT NOT NULL UNIQUE)",
                    "CREATE TABLE runs (id \(.autoID), number TEXT NOT NULL)",
                ]
            }
        ])

    package enum Color: String, CaseIterable, Codable, Sendable, InputEnum { case red, green }

    /// Every kind of argument, said back.
    package struct Echo: Query {
        package static let name = "test_echo"
        package static let summary = "Says back what it was given."
        package static let route = Route.get("test/echo")

        @Input("A text.", .length(1...5)) package var text: String
        @Input("A number.", .range(1...100)) package var number = 7
        @Input("A ratio.", .range(0.0...1.0)) package var ratio: Double?
        @Input("A flag.") package var flag = false
        @Input("A colour.") package var color: Color?
        @Input("An id.") package var id: ULID?
        @Input("A time.") package var time: Instant?
        @Input("Words.", .count(1...3)) package var words: [String]?

        package struct Output: Codable, Sendable {
            var text: String
            var number: Int
            var ratio: Double?
            var flag: Bool
            var color: String?
            var id: ULID?
            var time: Instant?
            var words: [String]?
        }

        package init() {}

        package func run(_ db: Reader, _ context: Context) async throws -> Output {
            Output(
                text: text, number: number, ratio: ratio, flag: flag, color: color?.rawValue, id: id,
                time: time,
                words: words)
        }
    }

    /// Writes a number without asking.
    package struct SetNumber: Command {
        package static let name = "test_set"
        package static let summary = "Sets a number."
        package static let effect = Effect.reversible
        package static let route = Route.post("test/set")

        @Input("Which.", .length(1...20)) package var which: String
        @Input("What to.") package var value: Int
        @Input("Only show it.") package var dryRun = false

        package struct Output: Codable, Sendable { var value: Int }

        package init() {}
        package var subject: Subject? { Subject("number", which) }
        package var isDryRun: Bool { dryRun }

        package func run(_ tx: Transaction, _ context: Context) throws -> Output {
            let old: Int? = try tx.value("SELECT value FROM numbers WHERE id = \(which)")
            try tx.run(
                """
                INSERT INTO numbers (id, value) VALUES (\(which), \(value))
                ON CONFLICT (id) DO UPDATE SET value = excluded.value
                """)
            try tx.run("INSERT INTO runs (number) VALUES (\(which))")
            try tx.audit(
                "number.set", Subject("number", which),
                changes: changes(from: ["value": old.map { .int($0) } ?? .null], to: ["value": .int(value)]))
            return Output(value: value)
        }
    }

    /// Deletes a number for good, so it asks first.
    package struct WipeNumber: Command {
        package static let name = "test_wipe"
        package static let summary = "Deletes a number for good."
        package static let effect = Effect.destructive
        package static let route = Route.post("test/wipe")

        @Input("Which.") package var which: String
        @Input("Only show it.") package var dryRun = false

        package struct Output: Codable, Sendable { var wiped: Int }

        package init() {}
        package var subject: Subject? { Subject("number", which) }
        package var isDryRun: Bool { dryRun }

        package func run(_ tx: Transaction, _ context: Context) throws -> Output {
            let old: Int? = try tx.value("SELECT value FROM numbers WHERE id = \(which) \(.forUpdate)")
            guard let old else {
                throw Failure(.notFound, "There is no number '\(which)'.", hint: "test_set makes one.")
            }
            try tx.run("DELETE FROM numbers WHERE id = \(which)")
            try tx.run("INSERT INTO runs (number) VALUES (\(which))")
            try tx.audit(
                "number.wipe", Subject("number", which), changes: ["value": ["old": .int(old), "new": nil]])
            return Output(wiped: old)
        }
    }

    /// Throws something that is no ``Failure``.
    package struct Blunder: Command {
        package static let name = "test_blunder"
        package static let summary = "Fails in a way that nobody foresaw."
        package static let effect = Effect.reversible
        package static let route = Route.post("test/blunder")

        package struct Output: Codable, Sendable { var ok: Bool }
        package struct Oops: Error { package var secret = "postgres://root:hunter2@db/prod" }

        package init() {}

        package func run(_ tx: Transaction, _ context: Context) throws -> Output {
            try tx.run("INSERT INTO numbers (id, value) VALUES ('blunder', 1)")
            throw Oops()
        }
    }

    /// Tries to write although it is a query.
    package struct Peek: Query {
        package static let name = "test_peek"
        package static let summary = "Tries to write from a query."
        package static let route = Route.get("test/peek")

        package struct Output: Codable, Sendable { var ok: Bool }

        package init() {}

        package func run(_ db: Reader, _ context: Context) async throws -> Output {
            try await db.read { _ = try $0.rows("INSERT INTO numbers (id, value) VALUES ('peek', 1)") }
            return Output(ok: true)
        }
    }
}
