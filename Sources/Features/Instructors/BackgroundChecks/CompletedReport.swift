import Storage

/// One finished background check: a row of `background_checks`, append-only.
struct CompletedReport: Sendable, RowDecodable {
    /// How long a clear report is good for.
    static let validity = Duration.seconds(365 * 86_400)

    var id: String
    /// The assessment when there is one, otherwise the result.
    var verdict: String
    var package: String?
    var completedAt: Instant
    /// Some of its searches were canceled.
    var includesCanceled = false

    init(
        id: String, verdict: String, package: String?, completedAt: Instant, includesCanceled: Bool = false
    ) {
        self.includesCanceled = includesCanceled
        self.id = id
        self.verdict = verdict
        self.package = package
        self.completedAt = completedAt
    }

    init(row: Row) throws {
        id = try row.get(at: 0)
        verdict = try row.get(at: 1)
        package = try row.get(at: 2)
        completedAt = try row.get(at: 3)
    }

    var isClear: Bool { ["clear", "eligible"].contains(verdict) }
    var validUntil: Instant? { isClear ? completedAt + Self.validity : nil }
}
