/// A revision of the protocol.
///
/// Revisions up to 2025-11-25 open with `initialize` (legacy); 2026-07-28 is
/// stateless and carries its metadata in every request (modern). Both are
/// served on one endpoint; a message decides for itself which it is.
package enum Revision: String, Sendable, Hashable, CaseIterable, Comparable {
    case november2024 = "2024-11-05"
    case march2025 = "2025-03-26"
    case june2025 = "2025-06-18"
    case november2025 = "2025-11-25"
    case july2026 = "2026-07-28"

    /// Offered to a client that asks `initialize` for something unknown.
    package static let latestLegacy = Revision.november2025
    /// Assumed when a legacy request names no revision (2025-11-25, transports).
    package static let assumed = Revision.march2025
    /// What `server/discover` and error -32022 list: modern revisions only, so
    /// that a client never takes the answer for a legacy server's.
    package static let modern: [Revision] = [.july2026]

    package static func < (left: Revision, right: Revision) -> Bool { left.rawValue < right.rawValue }

    /// Whether requests carry their own metadata and there is no `initialize`.
    package var isModern: Bool { self >= .july2026 }
    /// Whether tools, resources and prompts have titles, tools have output
    /// schemas, results have structured content, and users can be asked.
    package var hasStructure: Bool { self >= .june2025 }
    /// Whether implementations, tools, resources and prompts have icons.
    package var hasIcons: Bool { self >= .november2025 }
}
