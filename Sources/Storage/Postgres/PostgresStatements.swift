/// The statements that one connection has prepared.
///
/// Kept by text and types: the same text with other types is another statement.
struct PostgresStatements {
    final class Prepared {
        let name: String
        let types: [SQLType]
        /// How its results are read; known after the first.
        var cells: PostgresCells?
        /// How often in a row it was all that a read ran.
        var loneRuns = 0

        init(name: String, types: [SQLType]) {
            self.name = name
            self.types = types
        }
    }

    /// When full, all are forgotten: they cost the server memory too.
    static let limit = 512

    private var statements: [String: [Prepared]] = [:]
    private(set) var count = 0
    private var nextName = 0

    func find(_ text: String, _ types: [SQLType]) -> Prepared? {
        statements[text]?.first { $0.types == types }
    }

    /// A statement with a new name, not kept before ``keep(_:_:)``.
    mutating func make(_ types: [SQLType]) -> Prepared {
        nextName += 1
        return Prepared(name: "s\(nextName)", types: types)
    }

    mutating func keep(_ prepared: Prepared, _ text: String) {
        statements[text, default: []].append(prepared)
        count += 1
    }

    mutating func forgetAll() {
        statements.removeAll(keepingCapacity: true)
        count = 0
    }
}
