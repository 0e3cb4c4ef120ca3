extension Transaction {
    /// Waits until no other transaction holds the lock of that name, and holds it
    /// to the end of this one. What is read afterwards includes everything that
    /// earlier holders wrote.
    ///
    /// On SQLite the one writer holds every lock already. On PostgreSQL it is an
    /// advisory lock ("Explicit Locking", 13.3.5) and shared by all processes.
    package func lock(_ name: StaticString) throws {
        switch dialect {
        case .sqlite: break
        case .postgres: try run("SELECT pg_advisory_xact_lock(\(Self.key(name)))")
        }
    }

    /// FNV-1a over the name's bytes: the same number in every build.
    private static func key(_ name: StaticString) -> Int64 {
        let hash = name.withUTF8Buffer { bytes in
            bytes.reduce(0xcbf2_9ce4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        }
        return Int64(bitPattern: hash)
    }
}
