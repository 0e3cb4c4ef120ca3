import JSON
package import Storage

/// A list in a text column, written as JSON.
package struct JSONList<Element: Codable & Sendable & Hashable>: Sendable, Hashable {
    package var elements: [Element]
    package init(_ elements: [Element]) { self.elements = elements }
}

extension JSONList: SQLBindable, SQLDecodable {
    package static var sqlType: SQLType { .text }

    package var sqlValue: SQLValue {
        // Texts and numbers can always be written.
        .text((try? JSONCoding.value(elements).text) ?? "[]")
    }

    package init(sql: SQLValue) throws {
        guard case .text(let text) = sql, let value = try? JSONValue(parsing: text),
            let elements = try? JSONCoding.decode([Element].self, from: value)
        else { throw StorageError.decode("expected a list in JSON") }
        self.elements = elements
    }
}
