import Kernel
import Storage

/// An instructor's service that a search may show.
struct SearchCandidate: Sendable, RowDecodable {
    var serviceID: ULID
    var catalogID: ULID
    var profileID: ULID
    var userID: ULID
    var firstName: String
    var lastName: String
    var hourlyRateCents: Int
    var offersTravel: Bool
    var offersAtLocation: Bool
    var offersOnline: Bool
    var isFounding: Bool

    init(row: Row) throws {
        serviceID = try row.get(at: 0)
        catalogID = try row.get(at: 1)
        profileID = try row.get(at: 2)
        userID = try row.get(at: 3)
        firstName = try row.get(at: 4)
        lastName = try row.get(at: 5)
        hourlyRateCents = try row.get(at: 6)
        offersTravel = try row.get(at: 7)
        offersAtLocation = try row.get(at: 8)
        offersOnline = try row.get(at: 9)
        isFounding = try row.get(at: 10)
    }

    private static let columns: SQL = """
        i.id, i.service_catalog_id, p.id AS profile_id, u.id AS user_id, u.first_name, u.last_name, \
        i.hourly_rate_cents, i.offers_travel, i.offers_at_location, i.offers_online, \
        p.is_founding_instructor AS is_founding
        """
    private static let tables: SQL = """
        instructor_services i JOIN instructor_profiles p ON p.id = i.instructor_profile_id \
        JOIN users u ON u.id = p.user_id
        """
    private static let isShown: SQL = "i.is_active AND p.is_live AND u.account_status = 'active'"

    /// The first `limit` instructors of each service: one statement of as many
    /// branches as there may be services, each of which ends after its own rows,
    /// however many teach the service.
    static func teaching(_ services: [ULID], limit: Int, branches: Int, _ db: Snapshot) throws
        -> [SearchCandidate]
    {
        guard !services.isEmpty else { return [] }
        let parts: [SQL] = (0..<branches).map { index in
            let id: ULID? = index < services.count ? services[index] : nil
            return """
                SELECT * FROM (SELECT \(columns) FROM \(tables)
                WHERE i.service_catalog_id = \(id) AND \(isShown) ORDER BY i.id LIMIT \(limit)) AS b\(raw: "\(index)")
                """
        }
        return try db.all(SQL.joined(parts, separator: " UNION ALL "))
    }

    /// Services of instructors whose first name is, or from three letters on begins with, a word.
    static func named(_ words: [String], limit: Int, _ db: Snapshot) throws -> [SearchCandidate] {
        guard !words.isEmpty else { return [] }
        let key = firstNameKey(db.dialect)
        let ranges: [SQL] = words.flatMap(spellings).map { word in
            word.unicodeScalars.count < 3
                ? "\(key) = \(word)" : "(\(key) >= \(word) AND \(key) < \(SearchText.end(of: word)))"
        }
        return try db.all(
            """
            SELECT \(columns) FROM (SELECT u.id, u.first_name, u.last_name, u.account_status FROM users u
            JOIN instructor_profiles q ON q.user_id = u.id
            WHERE (\(SQL.joined(ranges, separator: " OR "))) AND q.is_live LIMIT \(limit)) AS u
            JOIN instructor_profiles p ON p.user_id = u.id
            JOIN instructor_services i ON i.instructor_profile_id = p.id
            WHERE \(isShown) ORDER BY i.id LIMIT \(limit)
            """)
    }

    /// Whether a word is, or begins, the first name.
    func isNamed(by words: [String]) -> Bool {
        let name = firstName.lowercased()
        return words.contains { name == $0 || $0.unicodeScalars.count > 2 && name.hasPrefix($0) }
    }

    /// The databases lower ASCII letters only, so a first letter beyond them is stored as it was typed.
    private static func spellings(_ word: String) -> [String] {
        guard let first = word.first, !first.isASCII else { return [word] }
        return [word, first.uppercased() + word.dropFirst()]
    }

    /// First names in lower case, by code point.
    static func firstNameKey(_ dialect: Dialect) -> SQL {
        switch dialect {
        case .sqlite: "lower(first_name)"
        case .postgres: "lower(first_name COLLATE \"C\")"
        }
    }
}
