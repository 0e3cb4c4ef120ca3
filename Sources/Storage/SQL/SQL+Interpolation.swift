extension SQL {
    /// Collects literals and binds; used by the compiler.
    package struct StringInterpolation: StringInterpolationProtocol {
        var parts: [Part] = []

        package init(literalCapacity: Int, interpolationCount: Int) {
            parts.reserveCapacity(interpolationCount * 2 + 1)
        }

        package mutating func appendLiteral(_ literal: String) {
            if !literal.isEmpty { parts.append(.text(literal)) }
        }

        /// Binds a value, or a typed NULL.
        package mutating func appendInterpolation<Value: SQLBindable>(_ value: Value) {
            parts.append(.bind(SQLBind(value.sqlValue, Value.sqlType)))
        }

        /// The same for an optional; without it the compiler warns of a debug description.
        package mutating func appendInterpolation<Value: SQLBindable>(_ value: Value?) {
            parts.append(.bind(SQLBind(value.sqlValue, Value.sqlType)))
        }

        /// Splices another piece, with its binds.
        package mutating func appendInterpolation(_ sql: SQL) { parts += sql.parts }

        /// A word that differs between the databases.
        package mutating func appendInterpolation(_ keyword: Keyword) { parts.append(.keyword(keyword)) }

        /// `WHERE id \(in: ids)`: one bind whatever the count, so one prepared
        /// statement. An empty list matches nothing.
        package mutating func appendInterpolation<Value: SQLBindable>(in values: [Value]) {
            append(values, isNegated: false)
        }

        /// `WHERE id \(notIn: ids)`. An empty list matches every row.
        package mutating func appendInterpolation<Value: SQLBindable>(notIn values: [Value]) {
            append(values, isNegated: true)
        }

        private mutating func append<Value: SQLBindable>(_ values: [Value], isNegated: Bool) {
            if let list = SQLList(values) { return parts.append(.list(list, isNegated: isNegated)) }
            // Neither database reads these from a list, so each is a bind of its own.
            appendLiteral(isNegated ? "NOT IN (" : "IN (")
            if values.isEmpty { parts += ("SELECT \(Value?.none) WHERE 1 = 0" as SQL).parts }
            for (index, value) in values.enumerated() {
                if index > 0 { appendLiteral(", ") }
                appendInterpolation(value)
            }
            appendLiteral(")")
        }

        /// JSON text for a column of type `\(.json)`.
        package mutating func appendInterpolation(json text: String?) {
            parts.append(.bind(SQLBind(text.sqlValue, .json)))
        }

        /// A trusted fragment, taken as it is. Never pass what came from outside.
        package mutating func appendInterpolation(raw text: String) { appendLiteral(text) }

        /// A quoted identifier.
        package mutating func appendInterpolation(identifier name: String) {
            parts.append(.text(SQL.quoted(identifier: name)))
        }
    }

    static func quoted(identifier name: String) -> String {
        "\"" + name.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
    }
}
