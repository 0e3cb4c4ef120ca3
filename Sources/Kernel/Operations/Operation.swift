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
/// entry, the permission, the audit action and the reference page. Conform to
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
    static var scope: Scope { get }
    /// Method and path below `/api/v1/admin/mcp/`.
    static var route: Route { get }
    /// Units of the caller's rate limit that one call takes.
    static var cost: Int { get }
    /// Repeating the call with the same arguments changes nothing more.
    static var isIdempotent: Bool { get }
    /// The audit action; made from the route's fixed segments when not given.
    static var action: String { get }
    /// What this call is about, for the audit entry.
    var subject: Subject? { get }
    /// Declares the inputs; arguments are bound by ``Runner``.
    init()
}

/// Looks. A query is handed a ``Storage/Reader`` and cannot write: the
/// compiler and the database both refuse. It may ask `context.clients`
/// between reads, never inside one.
package protocol Query: Operation {
    func run(_ db: Reader, _ context: Context) async throws -> Output
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
    func run(_ tx: Transaction, _ context: Context) throws -> Output
}

extension Operation {
    package static var title: String {
        let words = name.split(separator: "_").joined(separator: " ")
        return words.prefix(1).uppercased() + words.dropFirst()
    }
    package static var cost: Int { 1 }
    package static var isIdempotent: Bool { effect == .read }
    package static var action: String { "mcp." + route.fixedSegments.joined(separator: ".") }
    package var subject: Subject? { nil }
}

extension Query {
    package static var effect: Effect { .read }
    package static var scope: Scope { .read }
}

extension Command {
    package static var scope: Scope { .write }
    package var needsConfirmation: Bool { Self.effect == .destructive }
    package var isDryRun: Bool { false }
    package var confirmationQuestion: String { "\(Self.summary) Go ahead?" }
    package static func verdict(on output: Output) -> (status: AuditStatus, error: String?) {
        (.success, nil)
    }
}

/// A method and a path pattern; `:name` segments are arguments.
package struct Route: Sendable, Hashable {
    package enum Method: String, Sendable { case get = "GET", post = "POST" }
    package var method: Method
    package var path: String

    package static func get(_ path: String) -> Route { Route(method: .get, path: path) }
    package static func post(_ path: String) -> Route { Route(method: .post, path: path) }

    package var segments: [Substring] { path.split(separator: "/") }
    package var fixedSegments: [String] { segments.filter { !$0.hasPrefix(":") }.map(String.init) }
    package var parameters: [String] { segments.filter { $0.hasPrefix(":") }.map { String($0.dropFirst()) } }
}
