import Kernel
package import Storage

// Looking at the whole database.
extension TestPlatform {
    /// What a preview or a dry run may write: its own record.
    package static let recordTables: Set<String> = [
        "audit_logs", "audit_pending", "audit_leaves", "audit_checkpoints", "confirmations", "tallies",
        "tally_deltas",
    ]

    /// Every row of every table as text, in an order that depends on the
    /// content only.
    package func dump(without excluded: Set<String> = []) async throws -> String {
        try await database.read { db in
            let names: SQL =
                switch db.dialect {
                case .sqlite:
                    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name"
                case .postgres:
                    """
                    SELECT CAST(tablename AS TEXT) FROM pg_tables WHERE schemaname = current_schema()
                    ORDER BY tablename
                    """
                }
            var text = ""
            for table in try db.values(names, as: String.self) where !excluded.contains(table) {
                let rows = try db.rows("SELECT * FROM \(identifier: table)").map { try $0.text }.sorted()
                text += "== \(table)\n" + rows.map { $0 + "\n" }.joined()
            }
            return text
        }
    }

    /// A hash over every row of every table, those of the record apart.
    package func tableHash(without excluded: Set<String> = recordTables) async throws -> String {
        Secrets.hash(try await dump(without: excluded))
    }

    /// The rows of a statement as text, `column=value` joined by spaces.
    package func rows(_ sql: SQL) async throws -> [String] {
        try await database.read { db in try db.rows(sql).map { try $0.text } }
    }

    package func value<Value: SQLDecodable>(_ sql: SQL, as: Value.Type = Value.self) async throws -> Value? {
        try await database.read { try $0.value(sql) }
    }

    package func count(_ table: String, where condition: SQL = "1 = 1") async throws -> Int {
        try await value("SELECT COUNT(*) FROM \(identifier: table) WHERE \(condition)") ?? 0
    }

    /// Runs statements past the application, as somebody with the database's
    /// password can.
    package func execute(_ statements: SQL...) async throws {
        try await database.write { tx in for statement in statements { try tx.run(statement) } }
    }

    /// Removes the triggers that keep a table append-only.
    package func dropAppendOnly(_ table: String) async throws {
        switch database.dialect {
        case .sqlite:
            try await execute(
                "DROP TRIGGER \(identifier: "\(table)_no_update")",
                "DROP TRIGGER \(identifier: "\(table)_no_delete")")
        case .postgres:
            try await execute(
                "DROP TRIGGER \(identifier: "\(table)_no_change") ON \(identifier: table)",
                "DROP TRIGGER \(identifier: "\(table)_no_truncate") ON \(identifier: table)")
        }
    }

    /// Makes every insert into a table fail, as a full disk or a broken
    /// constraint would.
    package func refuseInserts(into table: String) async throws {
        let name = "\(table)_test_refusal"
        switch database.dialect {
        case .sqlite:
            try await execute(
                """
                CREATE TRIGGER \(identifier: name) BEFORE INSERT ON \(identifier: table)
                BEGIN SELECT RAISE(ABORT, 'refused by the test'); END
                """)
        case .postgres:
            try await execute(
                """
                CREATE FUNCTION \(identifier: name)() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN RAISE EXCEPTION 'refused by the test'; END $$
                """,
                """
                CREATE TRIGGER \(identifier: name) BEFORE INSERT ON \(identifier: table)
                FOR EACH ROW EXECUTE FUNCTION \(identifier: name)()
                """)
        }
    }
}

extension Row {
    /// `column=value` for every column.
    package var text: String {
        get throws {
            try columnNames.indices.map { "\(columnNames[$0])=\(try get(at: $0, as: AnyCell.self).text)" }
                .joined(separator: " ")
        }
    }
}

/// Whatever a cell holds, spelled the same for both databases.
private struct AnyCell: SQLDecodable {
    var text: String

    init(sql: SQLValue) {
        text =
            switch sql {
            case .null: "NULL"
            case .int(let value): String(value)
            case .double(let value): String(value)
            case .bool(let value): value ? "1" : "0"
            case .text(let value): value
            case .bytes(let value): Secrets.hex(value)
            }
    }
}
