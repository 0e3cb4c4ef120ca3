import JSON
import Kernel
import Storage

/// What beat is to start, and what was started.
extension FlowerMonitor {
    private static let entryLimit = 100

    /// Flower knows nothing of beat. But workers say how they are configured,
    /// and beat is configured the same way; and of every task Flower knows the
    /// newest run, whoever asked for it. Next runs stay unknown.
    @Sendable func schedule(_ now: Instant) async throws -> ScheduleReport {
        do {
            let workers = try await client.json("/api/workers")
            guard let known = workers.objectValue else { throw client.unexpected("its workers") }
            let beat = known.values.compactMap { $0["conf"] }.first {
                $0["beat_schedule"]?.objectValue != nil
            }
            guard let beat, let entries = beat["beat_schedule"]?.objectValue, !entries.isEmpty else {
                return .unknown(
                    "Flower does not know the schedule of Celery beat, and no worker has told it one: see"
                        + " beat's own configuration and log.", source: .flower, now: now)
            }
            let rows = entries.prefix(Self.entryLimit).map {
                Self.entry($0.key, $0.value, zone: beat["timezone"]?.stringValue)
            }
            return try await withLastRuns(rows, entries.count, now)
        } catch let problem as FlowerProblem {
            return .unknown(problem.text, source: .flower, now: now)
        }
    }

    private func withLastRuns(
        _ rows: [ScheduleReport.Entry], _ count: Int, _ now: Instant
    ) async throws -> ScheduleReport {
        // Two entries that start the same task cannot be told apart.
        let alone = Dictionary(grouping: rows, by: \.task).filter { $0.value.count == 1 }.keys.sorted()
        let runs = try await lastRuns(alone, now)
        let byName = Dictionary(runs.runs.map { ($0.taskName, $0) }, uniquingKeysWith: { first, _ in first })
        let entries = rows.map { row in
            var row = row
            row.lastRun = byName[row.task]?.lastRunAt
            row.lastStatus = byName[row.task]?.status
            return row
        }
        var problem =
            "Taken from the workers' configuration: whether beat runs, what is next and what was missed is"
            + " not known to Flower. last_run is the task's newest run, whoever started it."
        if let text = runs.problem { problem += " " + text }
        if count > rows.count { problem += " Only \(rows.count) of \(count) entries are shown." }
        return .observed(entries, source: .flower, problem: problem, now: now)
    }

    private static func entry(_ name: String, _ json: JSONValue, zone: String?) -> ScheduleReport.Entry {
        let options = json["options"]
        return ScheduleReport.Entry(
            name: TaskText.name(name), task: TaskText.name(json["task"]?.stringValue ?? "unknown"),
            schedule: TaskText.name(
                ScheduleText.words(celery: json["schedule"] ?? .null, zone: zone ?? "UTC")),
            enabled: true, queue: options?["queue"]?.stringValue.map(TaskText.name))
    }

    @Sendable func lastRuns(_ names: [String], _ now: Instant) async throws -> LastRunReport {
        async let since = listeningSince()
        let answers = try await withThrowingTaskGroup(
            of: (Int, Result<LastRunReport.Run, FlowerProblem>).self
        ) {
            group in
            for (index, name) in names.enumerated() {
                group.addTask { (index, try await lastRun(name)) }
            }
            return try await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        var runs: [LastRunReport.Run] = []
        var problems: [String] = []
        for (index, name) in names.enumerated() {
            switch answers[index] {
            case .success(let run)?: runs.append(run)
            case .failure(let problem)?:
                problems.append(problem.text)
                runs.append(LastRunReport.Run(taskName: name))
            case nil: runs.append(LastRunReport.Run(taskName: name))
            }
        }
        if let problem = problems.first, problems.count == names.count {
            return .unknown(problem, names: names, source: .flower, now: now)
        }
        let problem = problems.first.map { "\(problems.count) of \(names.count) tasks are unknown. \($0)" }
        return .observed(runs, source: .flower, since: try await since, problem: problem, now: now)
    }

    private func lastRun(_ name: String) async throws -> Result<LastRunReport.Run, FlowerProblem> {
        do {
            let found = try await tasks([("taskname", name), ("sort_by", "-received"), ("limit", "1")])
            // A task that only waits has not run.
            guard let task = found.first, task.rawName == name, let time = task.started ?? task.received
            else {
                return .success(LastRunReport.Run(taskName: name))
            }
            return .success(LastRunReport.Run(taskName: name, lastRunAt: time, status: task.state))
        } catch let problem as FlowerProblem {
            return .failure(problem)
        }
    }
}
