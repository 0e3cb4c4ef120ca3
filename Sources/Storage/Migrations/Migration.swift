/// One numbered step of the schema.
///
/// Never edited once it has run anywhere: the ``Migrator`` keeps a checksum of
/// its text for each database.
package struct Migration: Sendable {
    /// Sorts the migrations, such as `0001_webhook_events`.
    package let id: String
    private let statements: @Sendable (Dialect) -> [SQL]

    package init(_ id: String, _ statements: @escaping @Sendable (Dialect) -> [SQL]) {
        self.id = id
        self.statements = statements
    }

    /// The statements for one database, in order.
    package func statements(_ dialect: Dialect) -> [SQL] { statements(dialect) }

    /// Of the rendered text: FNV-1a, 64 bits. It finds edits, not forgeries.
    func checksum(_ dialect: Dialect) -> String {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for statement in statements(dialect) {
            for byte in statement.render(dialect).text.utf8 {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3
            }
            // So that moving text from one statement to the next is an edit.
            hash = (hash ^ 0xFF) &* 0x100_0000_01b3
        }
        let digits = String(hash, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
