import JSON
import Storage

/// Every job by its stored name, decoded and run without its type.
package struct JobRegistry: Sendable {
    typealias Together = @Sendable ([(JobRecord, Context)], any Database) async throws -> Void

    struct Entry: Sendable {
        let timeout: Duration
        let version: Int
        let isDatabaseOnly: Bool
        let claimed: @Sendable ([JobRecord], Transaction, Context) throws -> Void
        let attempt:
            @Sendable (JobRecord, Context, any Database) throws -> (
                JobAttempt, @Sendable () async throws -> Void
            )
        /// What the job does when it is given up without having run; nothing when its
        /// payload cannot be read.
        let discarded: @Sendable (JobRecord, String, Transaction, Context) throws -> Void
        /// Runs several attempts in one transaction; nil when each runs alone.
        let together: Together?
    }

    private let entries: [String: Entry]

    package init(_ features: [Feature]) {
        var entries: [String: Entry] = [:]
        for type in kernelJobs + features.flatMap(\.jobs) {
            let entry = Self.entry(type)
            for name in [type.name] + type.formerNames { entries[name] = entry }
        }
        self.entries = entries
    }

    package var names: [String] { entries.keys.sorted() }

    subscript(name: String) -> Entry? { entries[name] }

    private static func entry(_ type: any Job.Type) -> Entry {
        func open<J: Job>(_ type: J.Type) -> Entry {
            Entry(
                timeout: J.timeout, version: J.version, isDatabaseOnly: J.isDatabaseOnly,
                claimed: { records, tx, context in
                    let known = records.filter { $0.payloadVersion <= J.version }
                    try J.claimed(known.compactMap { try? decode($0, as: J.self) }, tx, context)
                },
                attempt: { record, context, database in
                    let job = try decode(record, as: J.self)
                    let attempt = JobAttempt(job, record, context: context, database: database)
                    return (attempt, { try await job.run(attempt) })
                },
                discarded: { record, reason, tx, context in
                    guard let job = try? decode(record, as: J.self) else { return }
                    try job.discarded(reason, tx, context)
                },
                together: together(type))
        }
        return open(type)
    }

    private static func together<J: Job>(_ type: J.Type) -> Together? {
        guard let body = J.together else { return nil }
        return { claimed, database in
            var group: [(job: J, attempt: JobAttempt)] = []
            for (record, context) in claimed {
                let job = try decode(record, as: J.self)
                group.append((job, JobAttempt(job, record, context: context, database: database)))
            }
            try await JobAttempt.settle(group.map(\.attempt)) { [group] tx in try body(group, tx) }
        }
    }

    private static func decode<J: Job>(_ record: JobRecord, as: J.Type) throws -> J {
        try JSONCoding.decode(J.self, from: try JSONValue(parsing: record.payload))
    }
}
