import Kernel
import PlatformSupport
import Storage
import Synchronization
import TestSupport
import Testing

/// Verification in ranges: whatever their length, it finds the same.
@Suite struct AuditRangeTests {
    static let levels = 0...5

    static func verify(
        _ platform: TestPlatform, level: Int, witness: Checkpoint? = nil,
        through database: (any Database)? = nil
    ) async throws -> AuditReport {
        try await AuditVerifier(verifier: platform.signer.verifier, witness: witness, rangeLevel: level)
            .verify(
                Reader(database ?? platform.database))
    }

    /// One more batch.
    static func seal(_ count: Int, _ platform: TestPlatform) async throws {
        platform.advance(by: .milliseconds(5))
        try await AuditBulk.insert(count, into: platform)
        try await platform.seal()
    }

    /// The report, which must be the same with every length of ranges.
    static func report(_ platform: TestPlatform, witness: Checkpoint? = nil) async throws -> AuditReport {
        let whole = try await verify(platform, level: 12, witness: witness)
        for level in levels {
            let report = try await verify(platform, level: level, witness: witness)
            #expect(report == whole, "ranges of \(1 << level)")
        }
        return whole
    }

    @Test(arguments: TestDatabase.available)
    func aCheckpointMayStandAnywhere(dialect: Dialect) async throws {
        try await AuditVerifyTests.attacked(dialect) { platform in
            // 24 leaves, and a checkpoint at each of the next ten sizes.
            for _ in 25...34 { try await Self.seal(1, platform) }
            let witness = try await AuditVerifyTests.latest(platform)
            let report = try await Self.report(platform, witness: witness)
            #expect(report.problems == [])
            #expect(report.entries == 34 && report.size == 34 && report.checkpoints == 13)
            #expect(report.root == witness.root.base64)
        }
    }

    /// Sizes before, at and behind a border of ranges of 8, 16 and 32.
    @Test(arguments: TestDatabase.available, [30, 31, 32, 33])
    func aCheckpointBesideABorderIsChecked(dialect: Dialect, size: Int) async throws {
        try await AuditVerifyTests.attacked(dialect) { platform in
            for _ in 25...34 { try await Self.seal(1, platform) }
            let entry = try await AuditVerifyTests.entry(platform, size - 1)
            let other = try await AuditVerifyTests.latest(platform)
            // The signature of another place.
            let note = try Checkpoint(origin: other.origin, size: size, root: other.root)
                .signed(by: platform.signer).description
            try await platform.execute("UPDATE audit_checkpoints SET note = \(note) WHERE size = \(size)")
            var report = try await Self.report(platform)
            #expect(report.problems.map(\.kind) == [.forged])
            #expect(report.problems.map(\.seq) == [size - 1])
            var edited = entry
            edited.description = "x"
            try await platform.execute(
                "UPDATE audit_logs SET description = 'x' WHERE id = \(entry.id)",
                "DELETE FROM audit_checkpoints WHERE size = \(size)")
            report = try await Self.report(platform)
            #expect(report.problems.map(\.kind) == [.edited])
            #expect(report.problems.map(\.seq) == [size - 1])
            try await AuditVerifyTests.putLeaf(platform, size - 1, edited)
            report = try await Self.report(platform)
            #expect(report.problems.map(\.kind) == [.forged])
            #expect(report.problems.map(\.seq) == [size - 1])
        }
    }

    @Test(
        arguments: TestDatabase.available,
        [
            "DELETE FROM audit_leaves WHERE seq = 0", "DELETE FROM audit_leaves WHERE seq = 7",
            "DELETE FROM audit_leaves WHERE seq = 8", "DELETE FROM audit_leaves WHERE seq = 23",
            "DELETE FROM audit_leaves WHERE seq < 9", "DELETE FROM audit_leaves WHERE seq BETWEEN 3 AND 20",
            "DELETE FROM audit_leaves WHERE seq > 12", "DELETE FROM audit_leaves",
            "DELETE FROM audit_logs", "DELETE FROM audit_checkpoints",
            "DELETE FROM audit_logs WHERE id = (SELECT entry_id FROM audit_leaves WHERE seq = 16)",
            "UPDATE audit_logs SET status = 'denied'",
            "UPDATE audit_leaves SET seq = seq + 100 WHERE seq > 15",
            "UPDATE audit_leaves SET seq = 9223372036854775807 WHERE seq = 20",
            "UPDATE audit_leaves SET seq = 1000000000000 WHERE seq = 20",
            "UPDATE audit_leaves SET seq = -1 WHERE seq = 20",
            "UPDATE audit_leaves SET seq = -9 WHERE seq = 20",
            "UPDATE audit_leaves SET entry_id = 'no ULID' WHERE seq = 16",
            "UPDATE audit_leaves SET entry_id = '01ARZ3NDEKTSV4RRFFQ69G5FAV' WHERE seq = 16",
            "UPDATE audit_logs SET id = 'no ULID' WHERE id = (SELECT entry_id FROM audit_leaves WHERE seq = 8)",
            "UPDATE audit_checkpoints SET size = 1000000000000 WHERE size = 16",
            "UPDATE audit_checkpoints SET size = 9223372036854775807 WHERE size = 24",
            "UPDATE audit_checkpoints SET size = -3 WHERE size = 24",
            "UPDATE audit_checkpoints SET size = 17 WHERE size = 16",
            """
            INSERT INTO audit_leaves (seq, entry_id, leaf_hash)
            SELECT seq + 100, 'x' || entry_id, leaf_hash FROM audit_leaves
            """,
        ])
    func anAttackIsFoundWithEveryLength(dialect: Dialect, attack: String) async throws {
        try await AuditVerifyTests.attacked(dialect) { platform in
            let witness = try await AuditVerifyTests.latest(platform)
            try await platform.execute(SQL("\(raw: attack)"))
            let report = try await Self.report(platform)
            #expect(!report.isClean)
            #expect(report.problems.count <= 20)
            let witnessed = try await Self.report(platform, witness: witness)
            #expect(!witnessed.isClean)
        }
    }

    @Test(arguments: TestDatabase.available)
    func leavesThatWereSwappedAcrossABorderAreLocated(dialect: Dialect) async throws {
        try await AuditVerifyTests.attacked(dialect) { platform in
            let first = try await AuditVerifyTests.entry(platform, 9)
            let second = try await AuditVerifyTests.entry(platform, 13)
            try await platform.execute("DELETE FROM audit_leaves WHERE seq IN (9, 13)")
            try await AuditVerifyTests.putLeaf(platform, 9, second)
            try await AuditVerifyTests.putLeaf(platform, 13, first)
            let report = try await Self.report(platform)
            #expect(report.problems.map(\.kind) == [.reordered, .reordered, .forged])
            #expect(report.problems.map(\.seq) == [10, 13, 8])
        }
    }

    @Test(arguments: TestDatabase.available)
    func entriesSealedLongAfterTheirNeighboursAreCompared(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            try await platform.dropAppendOnly("audit_logs")
            try await AuditBulk.insert(300, into: platform, isPending: false)
            // The third, the second, then the first of every three.
            for rest in [2, 1, 0] {
                try await platform.execute(
                    """
                    INSERT INTO audit_pending (entry_id)
                    SELECT id FROM audit_logs WHERE CAST(substr(id, 11) AS BIGINT) % 3 = \(rest)
                    """)
                try await platform.seal()
            }
            #expect(try await Self.report(platform).problems == [])
            let edited = [7, 99, 100, 150, 299]
            for seq in edited {
                let id = try await AuditVerifyTests.entry(platform, seq).id
                try await platform.execute("UPDATE audit_logs SET actor_id = 'u2' WHERE id = \(id)")
            }
            let report = try await Self.report(platform)
            #expect(report.problems.map(\.kind) == edited.map { _ in .edited })
            #expect(report.problems.map(\.seq) == edited)
        }
    }

    @Test(arguments: TestDatabase.available)
    func entriesSealedMeanwhileAreNoProblem(dialect: Dialect) async throws {
        try await AuditVerifyTests.with(dialect) { platform in
            for level in Self.levels {
                let before = try await Self.verify(platform, level: level).entries
                let database = BusyDatabase(platform.database) { round in
                    guard round <= 6 else { return }
                    try await Self.seal(1 + round % 3, platform)
                    platform.advance(by: .milliseconds(5))
                    // One that waits.
                    try await AuditBulk.insert(1, into: platform)
                }
                let report = try await Self.verify(platform, level: level, through: database)
                #expect(report.problems == [])
                #expect(report.entries > before)
                try await platform.seal()
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEditBehindTheReadersBackIsFoundByTheNextRun(dialect: Dialect) async throws {
        try await AuditVerifyTests.attacked(dialect) { platform in
            let id = try await AuditVerifyTests.entry(platform, 2).id
            let database = BusyDatabase(platform.database) { round in
                guard round == 10 else { return }
                try await platform.execute("UPDATE audit_logs SET description = 'x' WHERE id = \(id)")
            }
            _ = try await Self.verify(platform, level: 0, through: database)
            #expect(try await Self.report(platform).problems.map(\.seq) == [2])
        }
    }

    @Test(arguments: TestDatabase.available)
    func textOfEveryKindIsHashedAsItWasSealed(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            try await platform.dropAppendOnly("audit_logs")
            let texts = ["", "\"", "\\", "a\"b\\c\n\t\u{1}\u{1F}", "é😀\u{2028}", "<script>&amp;", "\u{FFFD}"]
            for (index, text) in texts.enumerated() {
                platform.advance(by: .milliseconds(5))
                try await AuditBulk.insert(1, into: platform)
                try await platform.execute(
                    """
                    UPDATE audit_logs SET description = \(text), actor_user_agent = \(text),
                    changes = '{"a":{"new":"\\"","old":null}}', timestamp = \(Int64(index) * 1_000_000_007 - 9)
                    WHERE id IN (SELECT entry_id FROM audit_pending)
                    """)
                try await platform.seal()
            }
            let report = try await Self.report(platform)
            #expect(report.problems == [])
            #expect(report.entries == texts.count)
        }
    }

    /// SQLite keeps a blob in a column of text.
    @Test func bytesInPlaceOfTextAreAnEdit() async throws {
        try await AuditVerifyTests.attacked(.sqlite) { platform in
            let id = try await AuditVerifyTests.entry(platform, 9).id
            try await platform.execute(
                "UPDATE audit_logs SET action = CAST(action AS BLOB) WHERE id = \(id)")
            #expect(try await Self.report(platform).problems.map(\.kind) == [.edited])
        }
    }

    /// Without its keys a table may hold what is sealed once more.
    @Test func aSecondRowOfTheSameIdIsFound() async throws {
        guard TestDatabase.available.contains(.postgres) else { return }
        try await AuditVerifyTests.attacked(.postgres) { platform in
            let id = try await AuditVerifyTests.entry(platform, 9).id
            try await platform.execute(
                "ALTER TABLE audit_logs DROP CONSTRAINT audit_logs_pkey",
                "INSERT INTO audit_logs SELECT * FROM audit_logs WHERE id = \(id)")
            #expect(try await Self.report(platform).isClean == false)
        }
    }
}

/// A database where something happens before each read.
private final class BusyDatabase: Database {
    private let base: any Database
    private let rounds = Mutex(0)
    private let meanwhile: @Sendable (Int) async throws -> Void

    init(_ base: any Database, _ meanwhile: @escaping @Sendable (Int) async throws -> Void) {
        self.base = base
        self.meanwhile = meanwhile
    }

    var dialect: Dialect { base.dialect }
    var statistics: DatabaseStatistics { base.statistics }

    func read<Value: Sendable>(_ body: @escaping @Sendable (Snapshot) throws -> Value) async throws -> Value {
        let round = rounds.withLock { rounds in
            rounds += 1
            return rounds
        }
        try await meanwhile(round)
        return try await base.read(body)
    }

    func write<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await base.write(body)
    }

    func rehearse<Value: Sendable>(
        _ body: @escaping @Sendable (Transaction) throws -> Value
    ) async throws -> Value {
        try await base.rehearse(body)
    }

    func listen(_ channel: String) -> AsyncStream<String> { base.listen(channel) }
    func close() async {}
}
