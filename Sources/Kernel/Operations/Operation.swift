import JSON
package import Storage

/// What a call may do to the world; everything a surface says about an
/// operation's danger is derived from it.
package enum Effect: String, Sendable, CaseIterable {
    /// Looks only.
    case read
    /// Adds something new and changes nothing that was there.
    case additive
    /// Changes what is there in a way that can be undone or repeated safely.
    case reversible
    /// Changes what is there for good: money moves, people lose access.
    case destructive
}

/// What an operation is about: one row of one resource type, as the audit log names it.
package struct Subject: Sendable, Hashable, Codable {
    package var type: String
    package var id: String?
    package init(_ type: String, _ id: String?) { (self.type, self.id) = (type, id) }
}

/// Something an administrator can ask for.
///
/// One declaration is the MCP tool, the REST route, the CLI verb, the OpenAPI
/// entry, the permission, the audit action and the reference page; one that is
/// for people (``audience``) is a REST route only. Conform to
/// ``Query`` or ``Command``, never to this protocol alone.
package protocol Operation: Decodable, Sendable {
    /// Keys are written in snake case; a nil value is written as null, so keys are always present.
    associatedtype Output: Codable & Sendable
    /// The stored name, `noun_verb`; the MCP tool is `instainstru_<name>`.
    static var name: String { get }
    /// A few words for people; made from the name when not given.
    static var title: String { get }
    /// One sentence, at most 200 characters, ending in a full stop.
    static var summary: String { get }
    static var effect: Effect { get }
    /// Whether it is a ``Command``; the two protocols answer it. Asking the runtime instead searches
    /// every conformance of the program, once for each operation, at every start.
    static var isCommand: Bool { get }
    /// What a token needs, when the operation is for ``Audience/operators``.
    static var scope: Scope { get }
    static var audience: Audience { get }
    /// Method and path below the audience's prefix.
    static var route: Route { get }
    static var bucket: RateBucket { get }
    /// A success made something new: 201 over HTTP.
    static var creates: Bool { get }
    /// Whether a look leaves an entry in the audit log. Changes and refusals always do.
    static var isRecorded: Bool { get }
    /// Over HTTP the body may also be a form (`application/x-www-form-urlencoded`).
    static var acceptsForm: Bool { get }
    /// Arguments that are credentials although their names do not say so; never recorded.
    static var secretInputs: Set<String> { get }
    /// The output holds credentials, so no idempotency key keeps it.
    static var answersSecrets: Bool { get }
    /// Units of the caller's rate limit that one call takes.
    static var cost: Int { get }
    /// Repeating the call with the same arguments changes nothing more.
    static var isIdempotent: Bool { get }
    /// The audit action; made from the route's fixed segments when not given.
    static var action: String { get }
    /// What this call is about, for the audit entry.
    var subject: Subject? { get }
    /// What goes with `output`: its version, a session that begins or ends.
    static func attachments(of output: Output) -> Attachments
    /// Declares the inputs; arguments are bound by ``Runner``.
    init()
}

/// Looks. A query is handed a ``Storage/Reader`` and cannot write: the
/// compiler and the database both refuse. It may ask `context.clients`
/// between reads, never inside one.
package protocol Query: Operation {
    func run(_ db: Reader, _ context: Context) async throws -> Output
    /// Whether ``remember(_:_:_:)`` is called for every answer.
    static var isRemembered: Bool { get }
    /// Writes down that the answer was given, in a transaction of its own after it was found.
    /// When that fails the answer is given all the same, and the log says so.
    func remember(_ output: Output, _ tx: Transaction, _ context: Context) throws
}

/// Changes something, inside one transaction that also holds its audit entry
/// and the jobs it enqueues. The body is synchronous, so a transaction can
/// never be held across a suspension.
package protocol Command: Operation {
    /// Whether the call must be confirmed before it commits; a destructive one always is.
    var needsConfirmation: Bool { get }
    /// The caller only wants to see the effects.
    var isDryRun: Bool { get }
    /// One sentence that a person is asked to agree to.
    var confirmationQuestion: String { get }
    /// How the call's own audit entry judges an output that reports a failure.
    static func verdict(on output: Output) -> (status: AuditStatus, error: String?)
    /// Slow or outside work before the transaction; keeps its results in ``Prepared``
    /// properties. What it saw may have changed when ``run(_:_:)`` begins.
    mutating func prepare(_ db: Reader, _ context: Context) async throws
    func run(_ tx: Transaction, _ context: Context) throws -> Output
    /// The answer after the jobs that the caller waits for (``Job/isAwaited``) have run, or took
    /// too long: then it says that they are pending.
    func afterJobs(_ output: Output, _ db: Snapshot, _ context: Context) throws -> Output
}

extension Operation {
    package static var title: String {
        let words = name.split(separator: "_").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
    package static var cost: Int { 1 }
    package static var isIdempotent: Bool { effect == .read }
    package static var audience: Audience { .operators }
    package static var creates: Bool { false }
    package static var isRecorded: Bool {
        switch audience {
        case .operators, .holders: true
        // People looking at the marketplace are traffic, not acts.
        case .anyone, .users: false
        }
    }
    package static var acceptsForm: Bool { false }
    package static var secretInputs: Set<String> { [] }
    package static var answersSecrets: Bool { false }
    package static var bucket: RateBucket {
        audience == .operators ? .operators : effect == .read ? .read : .write
    }
    package static var action: String {
        (audience == .operators ? "mcp." : "") + route.fixedSegments.joined(separator: ".")
    }
    package var subject: Subject? { nil }
    package static func attachments(of output: Output) -> Attachments { .none }
}

extension Query {
    package static var isCommand: Bool { false }
    package static var effect: Effect { .read }
    package static var scope: Scope { .read }
    package static var isRemembered: Bool { false }
    package func remember(_ output: Output, _ tx: Transaction, _ context: Context) throws {}
}

extension Command {
    package static var isCommand: Bool { true }
    package static var scope: Scope { .write }
    package var needsConfirmation: Bool { Self.effect == .destructive && Self.audience == .operators }
    package var isDryRun: Bool { false }
    package var confirmationQuestion: String { "\(Self.summary) Go ahead?" }
    package static func verdict(on output: Output) -> (status: AuditStatus, error: String?) {
        (.success, nil)
    }
    package mutating func prepare(_ db: Reader, _ context: Context) async throws {}
    package func afterJobs(_ output: Output, _ db: Snapshot, _ context: Context) throws -> Output { output }
}

/// A method and a path pattern; `:name` segments are arguments.
package struct Route: Sendable, Hashable {
    package enum Method: String, Sendable {
        case get = "GET", post = "POST", put = "PUT", patch = "PATCH", delete = "DELETE"
    }

    package var method: Method
    package var path: String

    package static func get(_ path: String) -> Route { Route(method: .get, path: path) }
    package static func post(_ path: String) -> Route { Route(method: .post, path: path) }
    package static func put(_ path: String) -> Route { Route(method: .put, path: path) }
    package static func patch(_ path: String) -> Route { Route(method: .patch, path: path) }
    package static func delete(_ path: String) -> Route { Route(method: .delete, path: path) }

    package var segments: [Substring] { path.split(separator: "/") }
    package var fixedSegments: [String] { segments.filter { !$0.hasPrefix(":") }.map(String.init) }
    package var parameters: [String] { segments.filter { $0.hasPrefix(":") }.map { String($0.dropFirst()) } }
}
