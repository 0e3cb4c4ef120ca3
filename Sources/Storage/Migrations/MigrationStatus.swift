/// A migration and whether the database has it.
package struct MigrationStatus: Sendable, Hashable {
    /// How a migration of the program and one of the database fit together.
    package enum State: Sendable, Hashable {
        case applied(Instant)
        case pending
        /// Applied, and its text is another now.
        case edited
        /// Applied, and the program does not have it.
        case unknown
        /// Pending, though a later one is applied.
        case outOfOrder
    }

    package let id: String
    package let state: State

    /// What is wrong and what to do; nil when nothing is.
    package var problem: String? {
        switch state {
        case .applied, .pending: nil
        case .edited:
            "Migration \(id) was edited after it was applied. "
                + "Restore its text, and put the change in a new migration."
        case .unknown:
            "The database has migration \(id), which this program does not know: a newer program made it. "
                + "Run that program, or restore a backup from before."
        case .outOfOrder:
            "Migration \(id) is new, but a later one is applied already. Give it a number after the last one."
        }
    }
}
