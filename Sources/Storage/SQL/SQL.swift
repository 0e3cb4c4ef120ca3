/// A statement or a piece of one, in which every interpolated value is a bind.
///
///     "SELECT id FROM job WHERE state = \(state) AND run_at <= \(now) LIMIT \(limit) \(.skipLocked)"
///
/// A value can therefore never be read as SQL. Another ``SQL`` is spliced in
/// with its binds, ``Keyword`` writes what differs between the databases, and
/// text that is neither is spelled `\(raw:)`, which reviewers can search for.
///
/// The text is rendered for one dialect when the statement runs.
package struct SQL: Sendable, ExpressibleByStringInterpolation {
    enum Part: Sendable {
        case text(String)
        case bind(SQLBind)
        case keyword(Keyword)
        case list(SQLList, isNegated: Bool)
    }

    var parts: [Part]

    init(parts: [Part]) { self.parts = parts }

    package init(stringLiteral value: String) { parts = [.text(value)] }

    package init(stringInterpolation: StringInterpolation) { parts = stringInterpolation.parts }

    package static func + (left: SQL, right: SQL) -> SQL { SQL(parts: left.parts + right.parts) }

    package static func += (left: inout SQL, right: SQL) { left.parts += right.parts }

    /// The parts in order with `separator` between them; empty for no parts.
    package static func joined(_ parts: [SQL], separator: SQL) -> SQL {
        var result: [Part] = []
        for (index, part) in parts.enumerated() {
            if index > 0 { result += separator.parts }
            result += part.parts
        }
        return SQL(parts: result)
    }

    /// The text one database takes and its binds in the order of the text.
    ///
    /// PostgreSQL numbers its placeholders. SQLite gets plain question marks,
    /// because to it `$1` is a name and not a position.
    package func render(_ dialect: Dialect) -> (text: String, binds: [SQLBind]) {
        if parts.count == 1, case .text(let text) = parts[0] { return (text, []) }
        var text = ""
        var binds: [SQLBind] = []
        text.reserveCapacity(parts.count * 24)
        binds.reserveCapacity(parts.count / 2)
        func appendPlaceholder() {
            switch dialect {
            case .sqlite: text += "?"
            case .postgres:
                text += "$"
                text += String(binds.count)
            }
        }
        for part in parts {
            switch part {
            case .text(let literal): text += literal
            case .keyword(let keyword): text += keyword.text(dialect)
            case .bind(let bind):
                binds.append(bind)
                appendPlaceholder()
            case .list(let list, let isNegated):
                binds.append(list.bind(dialect))
                switch dialect {
                case .sqlite:
                    text +=
                        isNegated
                        ? "NOT IN (SELECT value FROM json_each(" : "IN (SELECT value FROM json_each("
                    appendPlaceholder()
                    text += "))"
                case .postgres:
                    text += isNegated ? "<> ALL (" : "= ANY ("
                    appendPlaceholder()
                    text += ")"
                }
            }
        }
        return (text, binds)
    }
}

extension SQL: CustomStringConvertible {
    /// The PostgreSQL text. Never the values, so it can be logged.
    package var description: String { render(.postgres).text }
}
