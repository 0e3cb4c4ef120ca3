import Features
import Kernel
import Storage

/// What `doctor` looks at.
package enum Examination {
    package enum State: String, Sendable { case good = "ok     ", unset = "unset  ", bad = "WRONG  " }

    package struct Finding: Sendable {
        package var name: String
        package var state: State
        package var detail: String
    }

    package static func run(_ platform: Platform) async throws -> [Finding] {
        let settings = platform.configuration
        var findings = [
            Finding(
                name: "wiring", state: .good,
                detail: wiring(platform)
            ),
            Finding(
                name: "database", state: .good, detail: "\(platform.database.dialect.rawValue), migrated"),
            payments(settings),
            Finding(
                name: "stripe webhooks", state: settings.stripeSecrets.isEmpty ? .unset : .good,
                detail: settings.stripeSecrets.isEmpty
                    ? "no STRIPE_WEBHOOK_SECRET: events are refused with 500"
                    : "\(settings.stripeSecrets.count) signing secrets"),
            checkr(settings), messages(.email, settings), messages(.sms, settings),
            Finding(
                name: "git sha", state: settings.gitSHA == nil ? .unset : .good,
                detail: settings.gitSHA ?? "health and attempts cannot name the deployed commit"),
        ]
        findings.append(try await audit(platform))
        findings += try await jobs(platform)
        return findings
    }

    private static func payments(_ settings: Configuration) -> Finding {
        guard let account = StripeAccount.of(settings) else {
            return Finding(
                name: "stripe", state: .unset, detail: "no STRIPE_API_KEY: no payment can be taken")
        }
        return Finding(
            name: "stripe", state: account.isBuiltIn ? .unset : .good,
            detail: account.isBuiltIn
                ? "the built-in one, which moves no real money: set STRIPE_API_KEY" : settings.stripeAPIURL)
    }

    private static func checkr(_ settings: Configuration) -> Finding {
        let missing = [
            settings.checkrAPIKey == nil ? "CHECKR_API_KEY" : nil,
            settings.checkrWebhookUser == nil ? "CHECKR_WEBHOOK_USER and CHECKR_WEBHOOK_PASS" : nil,
        ].compactMap { $0 }
        return Finding(
            name: "checkr webhooks", state: missing.isEmpty ? .good : .unset,
            detail: missing.isEmpty
                ? "configured" : "no \(missing.joined(separator: ", no ")): events are refused with 500")
    }

    private static func messages(_ kind: MessageKind, _ settings: Configuration) -> Finding {
        let sender = MessageSender.of(kind, settings)
        let isKept = sender.name == "mailbox"
        return Finding(
            name: kind == .email ? "e-mail" : "sms", state: isKept ? .unset : .good,
            detail: isKept
                ? "kept in the local mailbox: instainstru mailbox" : "\(sender.name), from \(sender.address)")
    }

    private static func wiring(_ platform: Platform) -> String {
        let jobs = JobRegistry(platform.features).names.count
        return "\(platform.runner.catalog.all.count) operations, \(jobs) jobs, every name once"
    }

    private static func audit(_ platform: Platform) async throws -> Finding {
        guard let latest = try await platform.database.read({ try AuditCheckpoint.latest($0) }) else {
            return Finding(name: "audit key", state: .good, detail: "nothing sealed yet")
        }
        let isOurs = (try? Checkpoint(verifying: latest.note, with: platform.keys.signer.verifier)) != nil
        return Finding(
            name: "audit key", state: isOurs ? .good : .bad,
            detail: isOurs
                ? "signed the last checkpoint (\(latest.size) entries, \(latest.createdAt))"
                : "another key signed the last checkpoint; set AUDIT_SIGNING_KEY or AUDIT_LOG_ORIGIN")
    }

    /// What could keep jobs from running: the check of every start, and what waits now.
    package static func jobs(_ platform: Platform) async throws -> [Finding] {
        let problems = JobCheck.problems(
            platform.features, platform.configuration, expecting: timetable)
        let entries = timetable.schedule.count
        let names = JobRegistry(platform.features).names
        let (lease, now) = (platform.configuration.jobLeaseSeconds, platform.environment.now())
        let (orphans, entriesGone, stuck, unattended) = try await platform.database.read { db in
            (
                try db.values(
                    "SELECT DISTINCT name FROM jobs WHERE state <> 'discarded' AND name \(notIn: names)",
                    as: String.self),
                try db.values(
                    "SELECT entry FROM job_schedules WHERE entry \(notIn: timetable.schedule.keys.sorted())",
                    as: String.self),
                try JobState.queues(db).filter { $0.depth > 0 && $0.pausedAt != nil }.map(\.name),
                try JobState.unattended(db, lease: .seconds(lease), now: now)
            )
        }
        return [
            Finding(
                name: "job wiring", state: problems.isEmpty ? .good : .bad,
                detail: problems.isEmpty
                    ? "\(names.count) handlers, \(Queue.all.count) queues, \(entries) schedule entries"
                    : problems.joined(separator: " ")),
            Finding(
                name: "jobs", state: orphans.isEmpty ? .good : .bad,
                detail: orphans.isEmpty
                    ? "every waiting job has a handler" : "no handler for \(orphans.joined(separator: ", "))"),
            Finding(
                name: "schedule", state: .good,
                detail: entriesGone.isEmpty
                    ? "no entry without a job"
                    : "entries that ran once and are gone: \(entriesGone.joined(separator: ", "))"),
            Finding(
                name: "queues", state: stuck.isEmpty ? .good : .unset,
                detail: stuck.isEmpty
                    ? "nothing waits in a paused queue"
                    : "paused while jobs wait: \(stuck.joined(separator: ", "))"),
            Finding(
                name: "consumers", state: unattended.isEmpty ? .good : .bad,
                detail: unattended.isEmpty
                    ? "every queue in which jobs wait has a worker online"
                    : "jobs wait and no worker online takes them (WORKER_QUEUES): "
                        + unattended.joined(separator: ", ")),
        ]
    }
}
