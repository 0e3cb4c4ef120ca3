import Foundation
import JSON
package import Kernel
import Storage

/// Exported audit logs: entries as JSON lines, and the checkpoint that signs them.
package enum AuditFiles {
    package static func verifier(_ text: String?, _ configuration: Kernel.Configuration) throws
        -> NoteVerifier
    {
        guard let text else { return try Keys.load(configuration).signer.verifier }
        guard let key = NoteVerifier(text) else {
            throw Failure.invalid([.init("public-key", "must be a vkey, name+hash+key")])
        }
        return key
    }

    package static func checkpoint(_ path: String, _ key: NoteVerifier) throws -> Checkpoint {
        do {
            return try Checkpoint(verifying: String(contentsOfFile: path, encoding: .utf8), with: key)
        } catch {
            throw Failure(.invalidInput, "\(path) is not a checkpoint signed by \(key.name): \(error)")
        }
    }

    /// Verifies an exported file against its checkpoint, without any database.
    package static func verify(_ path: String, _ key: NoteVerifier, checkpoint given: String?) throws
        -> AuditReport
    {
        let signed = try checkpoint(given ?? path + ".checkpoint", key)
        var frontier = MerkleFrontier()
        var problems: [AuditProblem] = []
        let text = try Data(contentsOf: URL(filePath: path), options: .alwaysMapped)
        for line in text.split(separator: 0x0A) {
            let seq = frontier.size
            if (try? JSONValue(parsing: Array(line)))?["seq"]?.intValue != seq, problems.count < 20 {
                problems.append(
                    .init(kind: .reordered, seq: seq, detail: "Line \(seq + 1) is not entry \(seq)."))
            }
            frontier.append(.leaf(line))
        }
        if frontier.size < signed.size {
            problems.append(
                .init(
                    kind: .truncated, seq: frontier.size,
                    detail: "\(signed.size) entries were signed, \(frontier.size) are here."))
        } else if frontier.size > signed.size || frontier.root != signed.root {
            problems.append(.init(kind: .edited, detail: "The lines are not those that were signed."))
        }
        return AuditReport(
            entries: frontier.size, pending: 0, checkpoints: 1, size: signed.size, root: frontier.root.base64,
            problems: problems)
    }
}

extension Platform {
    package func verifyAudit(_ key: NoteVerifier, witness: Checkpoint?) async throws -> AuditReport {
        try await AuditVerifier(verifier: key, witness: witness).verify(Reader(database))
    }

    /// Writes every sealed entry and the checkpoint that covers exactly them.
    /// - Returns: how many entries were written.
    package func exportAudit(to path: String) async throws -> Int {
        guard FileManager.default.createFile(atPath: path, contents: nil) else {
            throw Failure(.unavailable, "The file \(path) cannot be written.")
        }
        let note = try await database.read { db -> String? in
            try db.liftTimeLimit()
            guard let latest = try AuditCheckpoint.latest(db) else { return nil }
            let file = try FileHandle(forWritingTo: URL(filePath: path))
            defer { try? file.close() }
            try AuditExport.lines(upTo: latest.size, db) { try file.write(contentsOf: Data($0)) }
            return latest.note
        }
        guard let note else {
            throw Failure(
                .conflict, "Nothing has been sealed yet.", hint: "Run the server for a second, then export.")
        }
        try note.write(toFile: path + ".checkpoint", atomically: true, encoding: .utf8)
        return try AuditFiles.checkpoint(path + ".checkpoint", keys.signer.verifier).size
    }
}
