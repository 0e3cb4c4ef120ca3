package import JSON

/// Answers for people: lists as tables, everything else as indented text.
package enum ReadableTable {
    private static let maximumCell = 48

    package static func text(_ value: JSONValue) -> String {
        guard case .object(let object) = value else { return value.text }
        return object.map { key, value in section(key, value) }.filter { !$0.isEmpty }.joined(separator: "\n")
    }

    package static func text(columns: [String], rows: [[String]]) -> String {
        guard !rows.isEmpty else { return "(none)" }
        let widths = columns.indices.map { column in
            ([columns[column]] + rows.map { $0[column] }).map(\.count).max() ?? 0
        }
        func line(_ cells: [String]) -> String {
            zip(cells, widths).map { cell, width in cell + String(repeating: " ", count: width - cell.count) }
                .joined(separator: "  ").trimmingSuffix { $0 == " " }
        }
        return ([line(columns)] + rows.map(line)).joined(separator: "\n")
    }

    private static func section(_ key: String, _ value: JSONValue) -> String {
        switch value {
        case .array(let items) where items.contains { $0.objectValue != nil }:
            return "\n" + key + "\n" + table(items)
        case .object(let object) where !object.isEmpty:
            return "\n" + key + "\n"
                + object.map { "  \($0): \(cell($1, limit: 400))" }.joined(separator: "\n")
        case .null: return ""
        default: return "\(key): \(cell(value, limit: 400))"
        }
    }

    /// Columns in order of first appearance; those that are null everywhere are left out.
    private static func table(_ items: [JSONValue]) -> String {
        let objects = items.compactMap(\.objectValue)
        var columns: [String] = []
        for object in objects {
            for (key, value) in object where !value.isNull && !columns.contains(key) { columns.append(key) }
        }
        let rows = objects.map { object in columns.map { cell(object[$0] ?? .null, limit: maximumCell) } }
        return text(columns: columns, rows: rows)
    }

    private static func cell(_ value: JSONValue, limit: Int) -> String {
        let text: String
        switch value {
        case .null: text = "-"
        case .string(let string): text = string.replacing("\n", with: " ")
        default: text = value.text
        }
        return text.count <= limit ? text : text.prefix(limit - 1) + "…"
    }
}

extension String {
    fileprivate func trimmingSuffix(while isTrimmed: (Character) -> Bool) -> String {
        var result = self[...]
        while let last = result.last, isTrimmed(last) { result.removeLast() }
        return String(result)
    }
}
