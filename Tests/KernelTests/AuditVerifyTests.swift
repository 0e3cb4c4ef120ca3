import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// What somebody does behind the application's back, and how verification names it.
@Suite struct AuditVerifyTests {
    /// A log of 24 entries in three batches of eight.
    static func with(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await RunnerTests.with(dialect) { platform in
            for batch in 0..<3 {
                for index in 0..<4 {
                    _ = try await platform.call(
                        "test_set", ["which": .string("n\(index)"), "value": .int(batch * 10 + index)])
                    platform.advance(by: .milliseconds(3))
                }
                try await platform.seal()
            }
            try await body(platform)
        }
    }

    /// The same, with the database opened to an attacker.
    static func attacked(_ dialect: Dialect, _ body: (TestPlatform) async throws -> Void) async throws {
        try await with(dialect) { platform in
            for table in ["audit_logs", "audit_leaves", "audit_checkpoints"] {
                try await platform.dropAppendOnly(table)
            }
            try await body(platform)
        }
    }

    static func verify(_ platform: TestPlatform, witness: Checkpoint? = nil) async throws -> AuditReport {
        try await AuditVerifier(verifier: platform.signer.verifier, witness: witness).verify(
            Reader(platform.database))
    }

    static func found(_ platform: TestPlatform, witness: Checkpoint? = nil) async throws -> [String] {
        try await verify(platform, witness: witness).problems.map { problem in
            problem.kind.rawValue + (problem.seq.map { " \($0)" } ?? "")
        }
    }

    static func entry(_ platform: TestPlatform, _ seq: Int) async throws -> AuditEntry {
        let entry: AuditEntry? = try await platform.database.read { db in
            let id: ULID? = try db.value("SELECT entry_id FROM audit_leaves WHERE seq = \(seq)")
            return try id.flatMap { try AuditLog.find($0, db) }
        }
        return try #require(entry)
    }

    /// Writes the leaf that belongs to the entry at this place.
    static func putLeaf(_ platform: TestPlatform, _ seq: Int, _ entry: AuditEntry) async throws {
        let hash = AuditLeaf(entry, seq: seq).hash.bytes
        try await platform.execute(
            "DELETE FROM audit_leaves WHERE seq = \(seq)",
            "INSERT INTO audit_leaves (seq, entry_id, leaf_hash) VALUES (\(seq), \(entry.id), \(hash))")
    }

    static func latest(_ platform: TestPlatform) async throws -> Checkpoint {
        let note: String? = try await platform.value(
            "SELECT note FROM audit_checkpoints ORDER BY size DESC LIMIT 1")
        return try Checkpoint(verifying: #require(note), with: platform.signer.verifier)
    }

    @Test(arguments: TestDatabase.available)
    func anotherKeySealsNothingAndWhatWaitsIsSealedByTheRightOne(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 1])
            let stranger = try #require(
                NoteSigner(name: TestPlatform.logName, seed: Array(repeating: 9, count: 32)))
            let other = AuditSealer(
                database: platform.database, signer: stranger, environment: platform.environment)
            await #expect(throws: Checkpoint.Problem.self) { try await other.sealAll() }
            #expect(try await Self.verify(platform).pending > 0)
            try await platform.seal()
            let report = try await Self.verify(platform)
            #expect(report.isClean)
            #expect(report.pending == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func withAnotherKeyReadsAreRecordedAndWaitForTheRightOne(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "a", "value": 1])
            try await platform.seal()
            let sealed = try await platform.count("audit_leaves")
            let stranger = try #require(
                NoteSigner(name: TestPlatform.logName, seed: Array(repeating: 9, count: 32)))
            let recorder = AuditRecorder(
                database: platform.database, signer: stranger, environment: platform.environment)
            try await recorder.record(
                AuditEntry(
                    platform.context(), category: .read, action: "mcp.test", subject: Subject("mcp", nil)))
            await recorder.flush()
            #expect(recorder.backlog == 0)
            #expect(try await platform.count("audit_leaves") == sealed)
            #expect(try await Self.verify(platform).pending == 1)
            try await platform.seal()
            let report = try await Self.verify(platform)
            #expect(report.isClean && report.pending == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anUntouchedLogIsClean(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let witness = try await Self.latest(platform)
            let report = try await Self.verify(platform, witness: witness)
            #expect(report.problems == [])
            #expect(report.entries == 24)
            #expect(report.size == 24)
            #expect(report.checkpoints == 3)
            #expect(report.pending == 0)
            #expect(report.root == witness.root.base64)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEmptyLogIsClean(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            #expect(try await Self.verify(platform).isClean)
            try await platform.seal()
            let report = try await Self.verify(platform)
            #expect(report.isClean && report.entries == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func entriesThatWaitForTheirSealAreNoProblem(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "late", "value": 99])
            let report = try await Self.verify(platform)
            #expect(report.problems == [])
            #expect(report.pending == 2)
        }
    }

    @Test(arguments: TestDatabase.available)
    func theLogRefusesToBeChanged(dialect: Dialect) async throws {
        try await Self.with(dialect) { platform in
            let changes: [String: SQL] = [
                "audit_logs": "UPDATE audit_logs SET description = ''",
                "audit_leaves": "UPDATE audit_leaves SET seq = seq + 1000",
                "audit_checkpoints": "UPDATE audit_checkpoints SET note = ''",
            ]
            for (table, change) in changes {
                var attempts: [SQL] = [change, "DELETE FROM \(identifier: table)"]
                if dialect == .postgres { attempts.append("TRUNCATE \(identifier: table)") }
                for attempt in attempts {
                    await #expect(throws: StorageError.appendOnly("\(table) is append-only")) {
                        try await platform.execute(attempt)
                    }
                }
            }
            let report = try await Self.verify(platform)
            #expect(report.isClean)
        }
    }

    static let edits: [SQL] = [
        "timestamp = timestamp + 1", "category = 'read'", "actor_type = 'user'", "actor_id = NULL",
        "actor_email = 'eve@example.com'", "actor_ip = '198.51.100.1'", "actor_user_agent = 'x'",
        "action = 'x'",
        "resource_type = 'x'", "resource_id = NULL", "description = 'x'", "changes = '{}'", "metadata = NULL",
        "status = 'failed'", "error_message = 'x'", "request_id = 'x'", "trace_id = ''", "session_id = 'x'",
    ]

    @Test(arguments: TestDatabase.available)
    func anEditOfAnyColumnIsLocated(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            // One edit in each entry.
            var ids: [String] = []
            for (seq, edit) in Self.edits.enumerated() {
                let id = try await Self.entry(platform, seq).id
                try await platform.execute("UPDATE audit_logs SET \(edit) WHERE id = \(id)")
                ids.append(id.description)
            }
            let report = try await Self.verify(platform)
            #expect(report.problems.map(\.kind) == Self.edits.map { _ in .edited })
            #expect(report.problems.map(\.seq) == Array(Self.edits.indices))
            #expect(report.problems.map(\.entryID) == ids)
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEditWithAMatchingLeafIsExposedByTheSignedRoot(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            var entry = try await Self.entry(platform, 10)
            entry.description = "nothing to see"
            try await platform.execute(
                "UPDATE audit_logs SET description = 'nothing to see' WHERE id = \(entry.id)")
            try await Self.putLeaf(platform, 10, entry)
            // In the batch of entries 8 to 15.
            #expect(try await Self.found(platform) == ["forged 8"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDeletedEntryIsLocated(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            let id = try await Self.entry(platform, 10).id
            try await platform.execute("DELETE FROM audit_logs WHERE id = \(id)")
            #expect(try await Self.found(platform) == ["deleted 10"])
            try await platform.execute("DELETE FROM audit_leaves WHERE entry_id = \(id)")
            #expect(try await Self.found(platform).first == "deleted 10")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aDeletionThatClosesTheGapIsExposedByTheSignedRoot(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            var entries: [AuditEntry] = []
            for seq in 11..<24 { entries.append(try await Self.entry(platform, seq)) }
            let id = try await Self.entry(platform, 10).id
            try await platform.execute(
                "DELETE FROM audit_logs WHERE id = \(id)", "DELETE FROM audit_leaves WHERE seq >= 10")
            for (index, entry) in entries.enumerated() { try await Self.putLeaf(platform, 10 + index, entry) }
            let found = try await Self.found(platform)
            #expect(found.contains("forged 8"))
            #expect(found.contains("truncated 23"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func anEntryDeletedBeforeItsSealIsFound(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            _ = try await platform.call("test_set", ["which": "late", "value": 99])
            try await platform.execute(
                "DELETE FROM audit_logs WHERE id IN (SELECT entry_id FROM audit_pending)")
            #expect(try await Self.found(platform) == ["deleted", "deleted"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func anInsertedEntryIsFound(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            let id = "01JFAKE0000000000000000000"
            try await platform.execute(
                """
                INSERT INTO audit_logs (id, timestamp, category, actor_type, action, resource_type, status)
                VALUES (\(id), \(platform.now), 'admin', 'user', 'user.login', 'user', 'success')
                """)
            let report = try await Self.verify(platform)
            #expect(report.problems.map(\.kind) == [.inserted])
            #expect(report.problems.map(\.entryID) == [id])
            // With a leaf of its own it is beyond what was signed.
            let entry = try await platform.database.read { db in
                try ULID(id).flatMap { try AuditLog.find($0, db) }
            }
            try await Self.putLeaf(platform, 24, #require(entry))
            #expect(try await Self.found(platform).contains("inserted 24"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func twoLeavesThatWereSwappedAreLocated(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            let (first, second) = (try await Self.entry(platform, 9), try await Self.entry(platform, 13))
            try await platform.execute("DELETE FROM audit_leaves WHERE seq IN (9, 13)")
            try await Self.putLeaf(platform, 9, second)
            try await Self.putLeaf(platform, 13, first)
            let found = try await Self.found(platform)
            #expect(found.first == "reordered 10")
            #expect(found.contains("forged 8"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTailCutOffIsFoundByTheCheckpointsThatAreLeft(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            try await platform.execute(
                "DELETE FROM audit_logs WHERE id IN (SELECT entry_id FROM audit_leaves WHERE seq >= 20)",
                "DELETE FROM audit_leaves WHERE seq >= 20")
            let found = try await Self.found(platform)
            #expect(found.contains("truncated 20"))
        }
    }

    @Test(arguments: TestDatabase.available)
    func aTailCutOffWithItsCheckpointsIsExposedByOneKeptElsewhere(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            let witness = try await Self.latest(platform)
            try await platform.execute(
                "DELETE FROM audit_logs WHERE id IN (SELECT entry_id FROM audit_leaves WHERE seq >= 16)",
                "DELETE FROM audit_leaves WHERE seq >= 16", "DELETE FROM audit_checkpoints WHERE size > 16")
            #expect(try await Self.found(platform) == [])
            #expect(try await Self.found(platform, witness: witness) == ["truncated 16"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRewriteWithAnotherKeyIsExposedByTheSignature(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            let thief = try #require(NoteSigner(name: TestPlatform.logName))
            try await Self.rewrite(platform, signer: thief)
            #expect(try await Self.found(platform) == ["forged 0"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRewriteWithTheStolenKeyIsExposedByACheckpointKeptElsewhere(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            let witness = try await Self.latest(platform)
            try await Self.rewrite(platform, signer: platform.signer)
            #expect(try await Self.found(platform) == [])
            #expect(try await Self.found(platform, witness: witness) == ["forged"])
        }
    }

    /// Edits an entry and seals everything anew.
    static func rewrite(_ platform: TestPlatform, signer: NoteSigner) async throws {
        try await platform.execute(
            "UPDATE audit_logs SET actor_email = 'eve@example.com'",
            "INSERT INTO audit_pending (entry_id) SELECT entry_id FROM audit_leaves",
            "DELETE FROM audit_leaves", "DELETE FROM audit_checkpoints")
        try await AuditSealer(database: platform.database, signer: signer, environment: platform.environment)
            .sealAll()
    }

    @Test(
        arguments: TestDatabase.available,
        [
            "note = 'garbage'", "frontier = 'garbage'", "frontier = '{\"size\":0,\"hashes\":[]}'",
            "size = 15", "size = 0",
        ])
    func aCheckpointThatWasTamperedWithIsFound(dialect: Dialect, change: String) async throws {
        try await Self.attacked(dialect) { platform in
            try await platform.execute("UPDATE audit_checkpoints SET \(raw: change) WHERE size = 16")
            let found = try await Self.found(platform)
            #expect(found.contains { $0.hasPrefix("forged") }, "\(found)")
        }
    }

    @Test(arguments: TestDatabase.available)
    func aMissingLastCheckpointIsFound(dialect: Dialect) async throws {
        try await Self.attacked(dialect) { platform in
            try await platform.execute("DELETE FROM audit_checkpoints WHERE size = 24")
            #expect(try await Self.found(platform) == ["inserted 16"])
        }
    }

    @Test(arguments: TestDatabase.available)
    func aRunningSystemIsClean(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            let witness = try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        for round in 0..<25 {
                            _ = try await platform.call(
                                "test_set",
                                ["which": .string("w\(writer)"), "value": .int(round * 10 + writer)])
                            _ = try await platform.call("test_echo", ["text": "a"])
                        }
                    }
                }
                group.addTask { for _ in 0..<20 { try await platform.seal() } }
                for _ in 0..<10 {
                    let report = try await Self.verify(platform)
                    #expect(report.problems == [])
                }
                try await group.waitForAll()
                try await platform.seal()
                return try await Self.latest(platform)
            }
            let report = try await Self.verify(platform, witness: witness)
            #expect(report.problems == [])
            #expect(report.entries == 4 * 25 * 3)
        }
    }

    @Test(arguments: TestDatabase.available)
    func twoSealersAtOnceSealEveryEntryOnce(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            let second = AuditSealer(
                database: platform.database, signer: platform.signer, environment: platform.environment)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for writer in 0..<2 {
                    group.addTask {
                        for round in 0..<40 {
                            _ = try await platform.call(
                                "test_set",
                                ["which": .string("w\(writer)"), "value": .int(round * 10 + writer)])
                        }
                    }
                }
                for sealer in [platform.sealer, second, platform.sealer, second] {
                    group.addTask { for _ in 0..<20 { try await sealer.sealAll() } }
                }
                try await group.waitForAll()
            }
            try await platform.seal()
            let report = try await Self.verify(platform)
            #expect(report.problems == [])
            #expect(report.entries == 160)
            #expect(try await platform.count("audit_pending") == 0)
        }
    }

    @Test(arguments: TestDatabase.available)
    func onePassSealsEverythingThatIsCommitted(dialect: Dialect) async throws {
        try await RunnerTests.with(dialect) { platform in
            try await AuditBulk.insert(4_500, into: platform)
            try await platform.sealer.sealAll()
            #expect(try await platform.count("audit_pending") == 0)
            #expect(
                try await platform.rows("SELECT size FROM audit_checkpoints ORDER BY size")
                    == ["size=2000", "size=4000", "size=4500"])
            #expect(try await Self.verify(platform).isClean)
        }
    }
}
