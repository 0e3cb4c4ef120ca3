/// A type that can be read from one cell.
///
/// Throws ``StorageError/decode(_:)`` when the cell holds something else; the
/// message names the kind of the cell and never its content. A
/// `RawRepresentable` type only has to declare the conformance.
package protocol SQLDecodable: Sendable {
    init(sql: SQLValue) throws
}

extension SQLDecodable where Self: RawRepresentable, RawValue: SQLDecodable {
    package init(sql: SQLValue) throws {
        guard let value = Self(rawValue: try RawValue(sql: sql)) else {
            throw StorageError.decode("the stored value is not a known \(Self.self)")
        }
        self = value
    }
}

extension Int64: SQLDecodable {
    package init(sql: SQLValue) throws {
        guard case .int(let value) = sql else {
            throw StorageError.decode("expected an integer, found \(sql.kind)")
        }
        self = value
    }
}

extension Int: SQLDecodable {
    package init(sql: SQLValue) throws { self = Int(try Int64(sql: sql)) }
}

extension Double: SQLDecodable {
    package init(sql: SQLValue) throws {
        switch sql {
        case .double(let value): self = value
        case .int(let value): self = Double(value)
        default: throw StorageError.decode("expected a number, found \(sql.kind)")
        }
    }
}

extension Bool: SQLDecodable {
    package init(sql: SQLValue) throws {
        switch sql {
        case .bool(let value): self = value
        case .int(0): self = false
        case .int(1): self = true
        default: throw StorageError.decode("expected a boolean, found \(sql.kind)")
        }
    }
}

extension String: SQLDecodable {
    package init(sql: SQLValue) throws {
        guard case .text(let value) = sql else {
            throw StorageError.decode("expected text, found \(sql.kind)")
        }
        self = value
    }
}

extension Array: SQLDecodable where Element == UInt8 {
    package init(sql: SQLValue) throws {
        guard case .bytes(let value) = sql else {
            throw StorageError.decode("expected bytes, found \(sql.kind)")
        }
        self = value
    }
}

extension Optional: SQLDecodable where Wrapped: SQLDecodable {
    package init(sql: SQLValue) throws {
        if case .null = sql { self = nil } else { self = try Wrapped(sql: sql) }
    }
}
