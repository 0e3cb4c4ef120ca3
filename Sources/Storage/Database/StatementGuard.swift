/// Refuses statements that would end or change the transaction they run in, or
/// the connection that others use after it.
///
/// Looked at once for each text, when it is prepared. Everything else a reader
/// must not do is refused by the database itself.
enum StatementGuard {
    private static let refused: Set<String> = [
        "BEGIN", "START", "COMMIT", "END", "ROLLBACK", "ABORT", "SAVEPOINT", "RELEASE", "SET", "RESET",
        "PREPARE", "DEALLOCATE", "DISCARD", "ATTACH", "DETACH", "VACUUM", "COPY", "LISTEN", "UNLISTEN",
    ]

    static func check(_ text: String) throws {
        let word = text.drop { $0.isWhitespace }.prefix { $0.isLetter }.uppercased()
        guard !refused.contains(word) else {
            throw StorageError.other(
                code: "25001", message: "\(word) is not for statements; use write, rehearse and savepoint")
        }
    }
}
