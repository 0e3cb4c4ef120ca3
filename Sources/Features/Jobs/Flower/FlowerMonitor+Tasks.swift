import JSON
import Kernel
import Storage

/// Failed, active and past tasks.
extension FlowerMonitor {
    @Sendable func failedTasks(_ limit: Int, _ now: Instant) async throws -> FailedTaskReport {
        do {
            async let since = listeningSince()
            // Flower's own order is by the last event, which for a failed task is its failure.
            async let failed = tasks([("state", "FAILURE"), ("limit", String(limit + 1))])
            async let mistaken = tasks([("state", FlowerTask.retry), ("limit", String(limit + 1))])
            let found = try await failed + mistaken.filter { $0.state == "FAILURE" }
            let rows = found.map(\.failure).sorted { Self.isLater($0.failedAt, $1.failedAt) }
            return try .observed(rows, limit: limit, source: .flower, since: await since, now: now)
        } catch let problem as FlowerProblem {
            return .unknown(problem.text, source: .flower, now: now)
        }
    }

    /// A task that began this long before its worker said that it does not run it, was lost.
    private static let eventDelay = Duration.seconds(5)
    private static let startedLimit = 500
    /// Flower never forgets a task whose worker died; people should.
    private static let orphansKeptFor = Duration.seconds(24 * 3600)

    @Sendable func activeTasks(_ now: Instant) async throws -> ActiveTaskReport {
        do {
            let workers = try await inspected()
            // Asked afterwards, so that what ended during the inspection is not in it.
            let started = try await tasks([
                ("state", "STARTED"), ("sort_by", "-started"), ("limit", String(Self.startedLimit)),
            ])
            var rows = workers.all.compactMap { $0.active(now) }.flatMap { $0 }
            var orphans: [ActiveTaskReport.Row] = []
            let known = Set(rows.map(\.taskID))
            let byName = Dictionary(
                workers.all.map { (TaskText.name($0.hostname), $0) }, uniquingKeysWith: { first, _ in first })
            for task in started where !known.contains(TaskText.name(task.id)) {
                let worker = task.worker.flatMap { byName[$0] }
                if !isOrphan(task, of: worker) {
                    rows.append(task.active(now))
                } else if task.started.map({ now - $0 < Self.orphansKeptFor }) ?? false {
                    orphans.append(task.active(now))
                }
            }
            rows.sort { ($0.startedAt ?? now) < ($1.startedAt ?? now) }
            return try .observed(
                rows, orphaned: orphans, source: .flower, problem: trouble(workers, orphans.count), now: now)
        } catch let problem as FlowerProblem {
            return .unknown(problem.text, source: .flower, now: now)
        }
    }

    private func isOrphan(_ task: FlowerTask, of worker: FlowerWorker?) -> Bool {
        guard let worker, worker.isOnline else { return true }
        guard worker.isFresh, let inspection = worker.observedAt, let started = task.started else {
            return false
        }
        return started + Self.eventDelay < inspection
    }

    private func trouble(_ workers: FlowerWorkers, _ orphans: Int) -> String? {
        var sentences = workers.trouble.map { [$0] } ?? []
        if orphans > 0 {
            sentences.append(
                "\(orphans) started on a worker that no longer runs them: lost, or run again if they"
                    + " acknowledge late."
            )
        }
        return sentences.isEmpty ? nil : sentences.joined(separator: " ")
    }

    @Sendable func history(
        _ filter: TaskHistoryFilter, _ now: Instant
    ) async throws -> TaskHistoryReport {
        let filter = try Self.checked(filter)
        do {
            async let since = listeningSince()
            async let received = tasks(Self.query(filter, state: filter.state, sort: "-received"))
            // Nobody has received what still waits, so it sorts behind everything: asked by itself.
            async let waiting =
                filter.state == nil ? tasks(Self.query(filter, state: "PENDING", sort: nil)) : []
            async let mistaken =
                filter.state.map(FlowerTask.endings.contains) == true
                ? tasks(Self.query(filter, state: FlowerTask.retry, sort: "-received")) : []
            let start = filter.start(now)
            let arrivals = try await (received + waiting + mistaken).compactMap { task in
                task.arrived.map { (time: $0, task: task) }
            }
            let rows = Dictionary(arrivals.map { ($0.task.id, $0) }, uniquingKeysWith: { first, _ in first })
                .values
                .filter { $0.time >= start && Self.matches($0.task, filter) }
                .sorted { ($0.time, $0.task.id) > ($1.time, $1.task.id) }
                .prefix(filter.limit + 1).map(\.task.entry)
            let began = try await since
            let gap = began.flatMap { $0 > start ? $0 : nil }.map {
                "Flower has listened only since \($0) and forgets at every restart: earlier tasks"
                    + " are not shown."
            }
            return try .observed(
                rows, filter: filter, source: .flower, since: began, problem: gap, now: now)
        } catch let problem as FlowerProblem {
            return .unknown(problem.text, filter: filter, source: .flower, now: now)
        }
    }

    /// Newest first, so that the limit cannot cut what is in the window for what is not.
    private static func query(
        _ filter: TaskHistoryFilter, state: String?, sort: String?
    ) -> [(String, String)] {
        var query = [("limit", String(filter.limit + 1))]
        if let sort { query.append(("sort_by", sort)) }
        if let name = filter.taskName { query.append(("taskname", name)) }
        if let state { query.append(("state", state)) }
        return query
    }

    /// Flower takes a filter it does not understand for none.
    private static func matches(_ task: FlowerTask, _ filter: TaskHistoryFilter) -> Bool {
        (filter.taskName == nil || task.rawName == filter.taskName)
            && (filter.state == nil || task.state == filter.state)
    }

    private static func checked(_ filter: TaskHistoryFilter) throws -> TaskHistoryFilter {
        var filter = filter
        filter.taskName = filter.taskName.flatMap { $0.isEmpty ? nil : $0 }
        filter.state = filter.state.flatMap { $0.isEmpty ? nil : $0.uppercased() }
        if let name = filter.taskName, name.contains(where: { "&<>\"'".contains($0) || $0.isWhitespace }) {
            throw Failure.invalid(
                [.init("task_name", "must be a task's full name, not '\(TaskText.name(name))'")],
                hint: "celery_task_history without task_name shows the names.")
        }
        return filter
    }

    private static func isLater(_ left: Instant?, _ right: Instant?) -> Bool {
        guard let left else { return false }
        guard let right else { return true }
        return left > right
    }
}
