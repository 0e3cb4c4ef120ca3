/// A value with the type it was declared with, so that a missing value keeps
/// its type.
package struct SQLBind: Sendable, Hashable {
    package var value: SQLValue
    package var type: SQLType

    package init(_ value: SQLValue, _ type: SQLType) {
        self.value = value
        self.type = type
    }
}
