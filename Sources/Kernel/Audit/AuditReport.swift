/// What `audit verify` found.
package struct AuditReport: Codable, Sendable, Hashable {
    package var entries: Int
    package var pending: Int
    package var checkpoints: Int
    package var size: Int
    package var root: String
    /// In order of discovery; empty when the log is what was signed.
    package var problems: [AuditProblem]

    package var isClean: Bool { problems.isEmpty }

    package init(
        entries: Int, pending: Int, checkpoints: Int, size: Int, root: String, problems: [AuditProblem]
    ) {
        self.entries = entries
        self.pending = pending
        self.checkpoints = checkpoints
        self.size = size
        self.root = root
        self.problems = problems
    }
}

/// One place where the log is not what was signed.
package struct AuditProblem: Codable, Sendable, Hashable {
    package enum Kind: String, Codable, Sendable, CaseIterable {
        case edited, deleted, inserted, reordered, truncated, forged
    }
    package var kind: Kind
    package var seq: Int?
    package var entryID: String?
    package var detail: String

    package init(kind: Kind, seq: Int? = nil, entryID: String? = nil, detail: String) {
        self.kind = kind
        self.seq = seq
        self.entryID = entryID
        self.detail = detail
    }
}
