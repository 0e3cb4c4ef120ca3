import JSON
import Kernel
import Storage

/// The person whose data it is about.
struct Person: Sendable {
    var id: ULID
    /// As it is now; rows that know no id are found by it.
    var email: String
    var phone: String?
}

/// What one table holds about people: which rows, what an export shows of them, and
/// what becomes of them when the person leaves.
///
/// Every table with a column that names a person is listed (``PersonalTable/all``);
/// a test compares the list with the database, so a new table cannot be forgotten.
struct PersonalTable: Sendable {
    enum Fate: Sendable {
        case deleted
        /// Rows stay, without what these columns held. In order, as assignments.
        case blanked(SQL)
        /// Rows stay as they are, for this reason.
        case kept(StaticString)
    }

    /// A column of the export, by what its values are.
    enum Column: Sendable, ExpressibleByStringLiteral {
        case text(String), number(String), time(String), flag(String), json(String)
        init(stringLiteral name: String) { self = .text(name) }

        var name: String {
            switch self {
            case .text(let name), .number(let name), .time(let name), .flag(let name), .json(let name): name
            }
        }

        func value(_ row: Row, at index: Int) throws -> JSONValue {
            switch self {
            case .text: (try row.get(at: index, as: String?.self)).map { .string($0) } ?? .null
            case .number: (try row.get(at: index, as: Int?.self)).map { .int($0) } ?? .null
            case .flag: (try row.get(at: index, as: Bool?.self)).map { .bool($0) } ?? .null
            case .time:
                (try row.get(at: index, as: Instant?.self)).map { .string($0.description) } ?? .null
            case .json:
                (try row.get(at: index, as: String?.self)).map {
                    (try? JSONValue(parsing: $0)) ?? .string($0)
                }
                    ?? .null
            }
        }
    }

    var name: String
    /// The person's rows: a condition over the table's columns.
    var rows: @Sendable (Person) -> SQL
    /// The export's section and its columns; none where there is nothing that the
    /// person would not know, or only secrets.
    var export: (section: String, columns: [Column])?
    var fate: Fate

    init(
        _ name: String, _ rows: @escaping @Sendable (Person) -> SQL, export section: String,
        _ columns: [Column], _ fate: Fate
    ) {
        self.name = name
        self.rows = rows
        export = (section, columns)
        self.fate = fate
    }

    init(_ name: String, _ rows: @escaping @Sendable (Person) -> SQL, _ fate: Fate) {
        self.name = name
        self.rows = rows
        self.fate = fate
    }

    /// Rows whose `column` is the person's id.
    static func by(_ column: StaticString) -> @Sendable (Person) -> SQL {
        { person in "\(raw: "\(column)") = \(person.id)" }
    }

    /// Rows of the person's instructor profile.
    static func profile(_ column: StaticString) -> @Sendable (Person) -> SQL {
        { person in
            "\(raw: "\(column)") IN (SELECT id FROM instructor_profiles WHERE user_id = \(person.id))"
        }
    }

    /// The rows as an export shows them, oldest first.
    func exported(_ person: Person, _ db: Snapshot) throws -> [JSONValue] {
        guard let columns = export?.columns else { return [] }
        let names = columns.map(\.name).joined(separator: ", ")
        let rows = try db.rows(
            "SELECT \(raw: names) FROM \(raw: name) WHERE \(rows(person)) ORDER BY \(raw: names)")
        return try rows.map { row in
            var object: JSONObject = [:]
            for (index, column) in columns.enumerated() {
                object[column.name] = try column.value(row, at: index)
            }
            return .object(object)
        }
    }

    /// Carries out the fate; how many rows it touched.
    func forget(_ person: Person, _ tx: Transaction) throws -> Int {
        switch fate {
        case .deleted: try tx.run("DELETE FROM \(raw: name) WHERE \(rows(person))").affected
        case .blanked(let assignments):
            try tx.run("UPDATE \(raw: name) SET \(assignments) WHERE \(rows(person))").affected
        case .kept: 0
        }
    }
}
