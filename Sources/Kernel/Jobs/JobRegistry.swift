import JSON
import Storage

/// Every job by its stored name, decoded and run without its type.
package struct JobRegistry: Sendable {
    struct Entry: Sendable {
        let timeout: Duration
        let claimed: @Sendable ([JobRecord], Transaction, Context) throws -> Void
        let attempt:
            @Sendable (JobRecord, Context, any Database) throws -> (
                JobAttempt, @Sendable () async throws -> Void
            )
    }

    private let entries: [String: Entry]

    package init(_ features: [Feature]) {
        var entries: [String: Entry] = [:]
        for type in kernelJobs + features.flatMap(\.jobs) { entries[type.name] = Self.entry(type) }
        self.entries = entries
    }

    package var names: [String] { entries.keys.sorted() }

    subscript(name: String) -> Entry? { entries[name] }

    private static func entry(_ type: any Job.Type) -> Entry {
        func open<J: Job>(_ type: J.Type) -> Entry {
            @Sendable func decode(_ record: JobRecord) throws -> J {
                try JSONCoding.decode(J.self, from: try JSONValue(parsing: record.payload))
            }
            return Entry(
                timeout: J.timeout,
                claimed: { records, tx, context in
                    try J.claimed(records.compactMap { try? decode($0) }, tx, context)
                },
                attempt: { record, context, database in
                    let job = try decode(record)
                    let attempt = JobAttempt(job, record, context: context, database: database)
                    return (attempt, { try await job.run(attempt) })
                })
        }
        return open(type)
    }
}
