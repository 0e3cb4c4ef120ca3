package import Kernel
package import Storage

/// Whom an instructor's profile belongs to, as far as letters and checks need it.
package struct InstructorContact: Sendable, RowDecodable {
    package var userID: ULID
    package var email: String
    package var firstName: String
    package var lastName: String
    package var zip: String
    package var accountStatus: String

    package static let columns: SQL = "u.id, u.email, u.first_name, u.last_name, u.zip_code, u.account_status"
    package static let columnCount = 6

    package init(row: Row) throws { try self.init(row: row, from: 0) }

    package init(row: Row, from start: Int) throws {
        userID = try row.get(at: start)
        email = try row.get(at: start + 1)
        firstName = try row.get(at: start + 2)
        lastName = try row.get(at: start + 3)
        zip = try row.get(at: start + 4)
        accountStatus = try row.get(at: start + 5)
    }

    package static func find(_ user: ULID, _ db: Snapshot) throws -> InstructorContact? {
        try db.one("SELECT \(columns) FROM users u WHERE u.id = \(user)")
    }

    /// What strangers may see: the first name and the initial of the last.
    package var publicName: String { lastName.first.map { "\(firstName) \($0)." } ?? firstName }
}
