package import Kernel
package import Storage

/// One row of `bgc_requests`: that a check was asked for, and how far Checkr was told.
///
/// The keys of both calls are stored with the row, before the first of them.
package struct BackgroundCheckRequest: Sendable, RowDecodable {
    /// The values of `bgc_requests.status`.
    package enum Status: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
        case queued
        /// The call that makes the candidate has begun.
        case candidate
        /// The call that invites has begun.
        case invitation
        case invited, failed

        package var isOpen: Bool { self != .invited && self != .failed }
    }

    package enum Kind: String, Sendable, CaseIterable, Codable, SQLBindable, SQLDecodable {
        case invite, recheck
    }

    package var id: ULID
    package var instructorID: ULID
    package var kind: Kind
    package var status: Status
    package var environment: String
    package var package: String
    package var candidateKey: String
    package var invitationKey: String
    package var errorCode: String?
    package var createdAt: Instant

    private static let columns: SQL = """
        id, instructor_id, kind, status, env, package, candidate_key, invitation_key, error_code, created_at
        """

    package init(row: Row) throws {
        id = try row.get(at: 0)
        instructorID = try row.get(at: 1)
        kind = try row.get(at: 2)
        status = try row.get(at: 3)
        environment = try row.get(at: 4)
        package = try row.get(at: 5)
        candidateKey = try row.get(at: 6)
        invitationKey = try row.get(at: 7)
        errorCode = try row.get(at: 8)
        createdAt = try row.get(at: 9)
    }

    package static func find(_ id: ULID, _ db: Snapshot) throws -> BackgroundCheckRequest? {
        try db.one("SELECT \(columns) FROM bgc_requests WHERE id = \(id)")
    }

    package static func lock(_ id: ULID, _ tx: Transaction) throws -> BackgroundCheckRequest? {
        try tx.one("SELECT \(columns) FROM bgc_requests WHERE id = \(id) \(.forUpdate)")
    }

    /// The newest of an instructor.
    package static func latest(of instructor: ULID, _ db: Snapshot) throws -> BackgroundCheckRequest? {
        try db.one(
            "SELECT \(columns) FROM bgc_requests WHERE instructor_id = \(instructor) ORDER BY id DESC LIMIT 1"
        )
    }

    /// Stores a request and the job that carries it to Checkr.
    static func add(
        _ kind: Kind, _ profile: InstructorProfile, _ tx: Transaction, _ context: Context
    ) throws -> ULID {
        let (id, settings) = (context.newID(), context.configuration)
        let environment = settings.checkEnvironment
        try tx.run(
            """
            INSERT INTO bgc_requests (id, instructor_id, kind, status, env, package, candidate_key, invitation_key, \
            calls, created_at, updated_at)
            VALUES (\(id), \(profile.id), \(kind), 'queued', \(environment), \(settings.checkrPackage), \
            \("candidate-\(environment)-\(profile.id)"), \("invitation-\(environment)-\(id)"), 0, \(context.now), \
            \(context.now))
            """)
        try tx.enqueue(InviteCandidate(request: id))
        return id
    }

    /// That a call begins, or how the request ended.
    func move(
        to next: Status, candidate: String? = nil, invitation: String? = nil, error: String? = nil,
        _ tx: Transaction, _ context: Context
    ) throws {
        try tx.run(
            """
            UPDATE bgc_requests SET status = \(next), calls = calls + 1, \
            candidate_id = COALESCE(\(candidate), candidate_id), \
            invitation_id = COALESCE(\(invitation), invitation_id), error_code = \(error), \
            updated_at = \(context.environment.now()) WHERE id = \(id)
            """)
    }
}
