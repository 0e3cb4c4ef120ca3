extension Migration {
    /// How a refusal by these triggers is known.
    static let appendOnlyMark = "append-only"

    /// Triggers that refuse to change or delete a row of `table`, and on
    /// PostgreSQL to TRUNCATE it, with ``StorageError/appendOnly(_:)``.
    package static func appendOnly(_ table: String, _ dialect: Dialect) -> [SQL] {
        let message = "\(table) is \(appendOnlyMark)"
        switch dialect {
        case .sqlite:
            return ["UPDATE", "DELETE"].map { event in
                """
                CREATE TRIGGER \(identifier: "\(table)_no_\(event.lowercased())") BEFORE \(raw: event)
                ON \(identifier: table) BEGIN SELECT RAISE(ABORT, \(raw: literal(message))); END
                """
            }
        case .postgres:
            let function = "\(table)_refuse_change"
            return [
                """
                CREATE FUNCTION \(identifier: function)() RETURNS trigger LANGUAGE plpgsql AS
                $refuse$ BEGIN RAISE EXCEPTION USING MESSAGE = \(raw: literal(message)); END $refuse$
                """,
                """
                CREATE TRIGGER \(identifier: "\(table)_no_change") BEFORE UPDATE OR DELETE
                ON \(identifier: table) FOR EACH ROW EXECUTE FUNCTION \(identifier: function)()
                """,
                """
                CREATE TRIGGER \(identifier: "\(table)_no_truncate") BEFORE TRUNCATE
                ON \(identifier: table) FOR EACH STATEMENT EXECUTE FUNCTION \(identifier: function)()
                """,
            ]
        }
    }

    private static func literal(_ text: String) -> String {
        "'" + text.split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''") + "'"
    }
}
