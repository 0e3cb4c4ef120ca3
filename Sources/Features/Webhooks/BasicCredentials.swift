import Crypto
import FoundationEssentials

/// The user and password of an `Authorization: Basic` header (RFC 7617).
///
/// Prints nothing of either.
package struct BasicCredentials: Sendable {
    private let user: [UInt8]
    private let password: [UInt8]

    package init(user: String, password: String) {
        self.user = Array(user.utf8)
        self.password = Array(password.utf8)
    }

    /// Reads a header's value; nil if it is absent, of another scheme or
    /// malformed. The scheme is read in any case; the password may hold
    /// colons, the user may not.
    package init?(header: String?) {
        guard let header else { return nil }
        let fields = header.split(separator: " ", omittingEmptySubsequences: true)
        guard fields.count == 2, fields[0].lowercased() == "basic",
            let data = Data(base64Encoded: String(fields[1])),
            let colon = data.firstIndex(of: UInt8(ascii: ":"))
        else { return nil }
        user = Array(data[..<colon])
        password = Array(data[(colon + 1)...])
    }

    /// Whether both user and password are the expected ones.
    ///
    /// Takes the same time wherever they differ: both are always compared,
    /// by their SHA-256, which also hides a difference in length. Expected
    /// credentials that are both empty match nothing.
    package func matches(_ expected: BasicCredentials) -> Bool {
        let isConfigured = !(expected.user.isEmpty && expected.password.isEmpty)
        let sameUser = Self.isEqual(user, expected.user)
        let samePassword = Self.isEqual(password, expected.password)
        return sameUser && samePassword && isConfigured
    }

    /// The header's value that says this.
    package var header: String {
        "Basic " + Data(user + [UInt8(ascii: ":")] + password).base64EncodedString()
    }

    private static func isEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        SHA256.hash(data: left) == SHA256.hash(data: right)
    }
}

extension BasicCredentials: CustomStringConvertible, CustomReflectable {
    package var description: String { "BasicCredentials" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
