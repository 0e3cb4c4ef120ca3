import ArgumentParser
import Foundation
import JSON
import Kernel
import Server

/// The audit log's integrity.
struct Audit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Verify and export the audit log.",
        discussion: """
            Both work on a running system.

            Examples:
              instainstru audit verify
              instainstru audit export --out audit-2026-11.jsonl
              instainstru audit verify --checkpoint audit-2026-11.jsonl.checkpoint
              instainstru audit verify --file audit-2026-11.jsonl
            """, subcommands: [Verify.self, Export.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Recompute everything and name the first entry that is not as it was sealed.")
        @OptionGroup var common: CommonOptions
        @Option(help: "A checkpoint kept elsewhere, to compare with.") var checkpoint: String?
        @Option(help: "Verify an exported file instead of the database.") var file: String?
        @Option(help: "The log's public key (vkey); else this data folder's.") var publicKey: String?
        @Flag(help: "Print the report as JSON.") var json = false

        func run() async throws {
            let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
            let report = try await Terminal.reporting { () throws -> AuditReport in
                let key = try AuditFiles.verifier(publicKey, configuration)
                if let file { return try AuditFiles.verify(file, key, checkpoint: checkpoint) }
                let witness = try checkpoint.map { try AuditFiles.checkpoint($0, key) }
                return try await Terminal.withPlatform(configuration) { platform in
                    try await platform.verifyAudit(key, witness: witness)
                }
            }
            try Self.show(report, json: json)
        }

        private static func show(_ report: AuditReport, json: Bool) throws {
            if json {
                Terminal.write(try JSONCoding.value(report).encoded(pretty: true) + [0x0A])
            } else {
                print("entries     \(report.entries)\ncheckpoints \(report.checkpoints)")
                print("unsealed    \(report.pending)\nroot        \(report.root)")
                for problem in report.problems {
                    let place = [problem.seq.map { "seq \($0)" }, problem.entryID].compactMap { $0 }.joined(
                        separator: " ")
                    print("\(problem.kind.rawValue.uppercased()) \(place): \(problem.detail)")
                }
                print(report.isClean ? "The log is what was signed." : "The log is NOT what was signed.")
            }
            if !report.isClean { throw ExitCode(2) }
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract:
                "Write all sealed entries as JSON lines, and the checkpoint that signs them beside them.")
        @OptionGroup var common: CommonOptions
        @Option(help: "The file to write; FILE.checkpoint is written too.") var out: String

        func run() async throws {
            let configuration = try await Terminal.reporting { try await common.load(quiet: true) }
            let count = try await Terminal.withPlatform(configuration) { platform in
                try await platform.exportAudit(to: out)
            }
            print("\(count) entries in \(out), signed by \(out).checkpoint")
        }
    }
}
