package import JSON

/// A tree in a column of type `\(.json)`. PostgreSQL keeps the members of an
/// object in an order of its own; what must keep its bytes goes into a text or
/// bytes column.
extension JSONValue: SQLBindable, SQLDecodable {
    package var sqlValue: SQLValue { .text(String(decoding: encoded(), as: UTF8.self)) }
    package static var sqlType: SQLType { .json }

    package init(sql: SQLValue) throws {
        guard case .text(let text) = sql else {
            throw StorageError.decode("expected JSON, found \(sql.kind)")
        }
        do {
            self = try JSONValue(parsing: text)
        } catch {
            throw StorageError.decode("the stored text is not JSON")
        }
    }
}

/// A document that is already encoded, for the same columns.
extension RawJSON: SQLBindable, SQLDecodable {
    package var sqlValue: SQLValue { .text(text) }
    package static var sqlType: SQLType { .json }

    package init(sql: SQLValue) throws {
        guard case .text(let text) = sql else {
            throw StorageError.decode("expected JSON, found \(sql.kind)")
        }
        self.init(unchecked: Array(text.utf8))
    }
}
