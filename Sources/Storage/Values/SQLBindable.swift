/// A type that can be interpolated into ``SQL`` as a bind.
///
/// A `RawRepresentable` type only has to declare the conformance. Optionals
/// conform when what they wrap does, and bind a typed NULL.
package protocol SQLBindable: Sendable {
    /// The value as the database stores it.
    var sqlValue: SQLValue { get }
    /// The type PostgreSQL is told, also for a missing value.
    static var sqlType: SQLType { get }
}

extension SQLBindable where Self: RawRepresentable, RawValue: SQLBindable {
    package var sqlValue: SQLValue { rawValue.sqlValue }
    package static var sqlType: SQLType { RawValue.sqlType }
}

extension Int: SQLBindable {
    package var sqlValue: SQLValue { .int(Int64(self)) }
    package static var sqlType: SQLType { .int }
}

extension Int64: SQLBindable {
    package var sqlValue: SQLValue { .int(self) }
    package static var sqlType: SQLType { .int }
}

extension Double: SQLBindable {
    package var sqlValue: SQLValue { .double(self) }
    package static var sqlType: SQLType { .double }
}

extension Bool: SQLBindable {
    package var sqlValue: SQLValue { .bool(self) }
    package static var sqlType: SQLType { .bool }
}

extension String: SQLBindable {
    package var sqlValue: SQLValue { .text(self) }
    package static var sqlType: SQLType { .text }
}

extension Array: SQLBindable where Element == UInt8 {
    package var sqlValue: SQLValue { .bytes(self) }
    package static var sqlType: SQLType { .bytes }
}

extension Optional: SQLBindable where Wrapped: SQLBindable {
    package var sqlValue: SQLValue { self?.sqlValue ?? .null }
    package static var sqlType: SQLType { Wrapped.sqlType }
}
