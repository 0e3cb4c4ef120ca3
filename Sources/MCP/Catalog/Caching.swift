import JSON

/// How long a client may keep a result, and for whom (2026-07-28, caching).
package struct Caching: Sendable, Hashable {
    /// Who may share a kept result.
    package enum Scope: String, Sendable {
        /// The same for every caller; shared caches may keep it.
        case `public`
        /// Depends on who asks.
        case `private`
    }

    /// Zero says: ask again every time.
    package var milliseconds: Int
    package var scope: Scope

    package init(milliseconds: Int, scope: Scope) {
        self.milliseconds = max(0, milliseconds)
        self.scope = scope
    }

    /// Never to be kept.
    package static let none = Caching(milliseconds: 0, scope: .private)

    func write(to writer: inout JSONWriter) {
        writer.key("ttlMs")
        writer.int(milliseconds)
        writer.key("cacheScope")
        writer.string(scope.rawValue)
    }
}
