/// The values of `\(in:)`, sent as one bind.
///
/// SQLite reads them as a JSON array and PostgreSQL as an array literal. The
/// escapes differ: a backslash in an array literal only protects the character
/// after it, so JSON's `\u0001` would arrive as the text `u0001`.
struct SQLList: Sendable {
    private let values: [SQLValue]
    private let type: SQLType

    /// Nil for a type that has no such list: booleans and bytes.
    init?<Value: SQLBindable>(_ values: [Value]) {
        switch Value.sqlType {
        case .int: type = .intList
        case .double: type = .doubleList
        case .text: type = .textList
        default: return nil
        }
        self.values = values.map(\.sqlValue)
    }

    func bind(_ dialect: Dialect) -> SQLBind {
        var text = dialect == .sqlite ? "[" : "{"
        for (index, value) in values.enumerated() {
            if index > 0 { text += "," }
            switch value {
            case .int(let value): text += String(value)
            case .double(let value): text += String(value)
            case .text(let value): Self.append(value, to: &text, dialect)
            case .null, .bool, .bytes: text += dialect == .sqlite ? "null" : "NULL"
            }
        }
        text += dialect == .sqlite ? "]" : "}"
        return SQLBind(.text(text), type)
    }

    private static func append(_ value: String, to text: inout String, _ dialect: Dialect) {
        text += "\""
        if value.utf8.contains(where: { $0 == 0x22 || $0 == 0x5C || $0 < 0x20 }) {
            for scalar in value.unicodeScalars {
                switch scalar {
                case "\"", "\\":
                    text += "\\"
                    text.unicodeScalars.append(scalar)
                // U+0000 stays as it is: it is refused when the text is bound.
                case "\u{1}"..."\u{1F}" where dialect == .sqlite:
                    text += scalar.value < 16 ? "\\u000" : "\\u00"
                    text += String(scalar.value, radix: 16)
                default: text.unicodeScalars.append(scalar)
                }
            }
        } else {
            text += value
        }
        text += "\""
    }
}
