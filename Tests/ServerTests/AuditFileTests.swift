import Foundation
import Kernel
import Server
import Storage
import TestSupport
import Testing

/// Exported audit logs: exactly what was sealed, and nothing else verifies.
@Suite struct AuditFileTests {
    @Test(arguments: TestDatabase.available)
    func anExportVerifiesUntilALineIsChangedOrMissing(dialect: Dialect) async throws {
        try await TestServer.run(dialect) { server in
            let platform = server.platform
            for _ in 0..<3 { _ = try await server.token() }
            try await platform.sealer.sealAll()
            let path = platform.configuration.dataDirectory + "/audit.jsonl"
            let count = try await platform.exportAudit(to: path)
            let key = try AuditFiles.verifier(nil, platform.configuration)
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(count == lines.count && count >= 3)
            #expect(try AuditFiles.verify(path, key, checkpoint: nil).isClean)

            func kinds(of lines: [Substring]) throws -> [AuditProblem.Kind] {
                try (lines.joined(separator: "\n") + "\n").write(
                    toFile: path, atomically: true, encoding: .utf8)
                return try AuditFiles.verify(path, key, checkpoint: nil).problems.map(\.kind)
            }
            var edited = lines
            edited[1] = Substring(edited[1].replacing("ada@example.com", with: "eve@example.com"))
            #expect(edited != lines)
            #expect(try kinds(of: edited) == [.edited])
            #expect(try kinds(of: lines.dropLast()) == [.truncated])
            #expect(try kinds(of: [lines[1], lines[0]] + lines.dropFirst(2)).first == .reordered)
            #expect(try kinds(of: lines).isEmpty)
        }
    }
}
