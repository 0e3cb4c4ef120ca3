/// What the lists of the features are held against: written down apart from the
/// handlers, so that one that was forgotten is missed.
package struct ExpectedJobs: Sendable {
    /// The name of every job that has a handler.
    package let jobs: Set<String>
    /// Every entry of the schedule and the job it names.
    package let schedule: [String: String]

    package init(jobs: Set<String>, schedule: [String: String]) {
        self.jobs = jobs
        self.schedule = schedule
    }
}

/// Looks for jobs that could never run, before a process starts.
///
/// A schedule that names a task which nobody registered is silent: nothing
/// fails, and nothing runs. So what is expected is written down apart from the
/// handlers, and either without the other is an error.
package enum JobCheck {
    /// - Returns: what is wrong, each with the name of the culprit.
    package static func problems(
        _ features: [Feature], _ configuration: Configuration, expecting expected: ExpectedJobs
    ) -> [String] {
        problems(kernelJobs + features.flatMap(\.jobs), configuration, expecting: expected)
    }

    /// The same for a list of jobs, those of the platform itself included.
    static func problems(
        _ jobs: [any Job.Type], _ configuration: Configuration, expecting expected: ExpectedJobs
    ) -> [String] {
        let entries = Scheduler.entries(jobs, configuration)
        let problems =
            handlers(jobs, expected) + schedule(jobs, entries, expected) + jobs.flatMap(faults)
            + entries.flatMap(faults) + doubles(jobs, entries)
        return problems.sorted()
    }

    private static func handlers(_ jobs: [any Job.Type], _ expected: ExpectedJobs) -> [String] {
        let names = Set(jobs.map { $0.name })
        return expected.jobs.subtracting(names).map {
            "The job '\($0)' is expected, but no feature handles it."
        }
            + names.subtracting(expected.jobs).map {
                "A feature handles the job '\($0)', which is not on the list of expected jobs."
            }
    }

    private static func schedule(
        _ jobs: [any Job.Type], _ entries: [Scheduler.Entry], _ expected: ExpectedJobs
    ) -> [String] {
        let handlers = Set(jobs.map { $0.name })
        let missing: [String] = expected.schedule.compactMap { entry, job in
            if !handlers.contains(job) {
                return "The schedule entry '\(entry)' names the job '\(job)', which no feature handles."
            }
            guard !entries.contains(where: { $0.schedule.name == entry && $0.job == job }) else { return nil }
            return "The job '\(job)' does not declare its schedule entry '\(entry)'."
        }
        return missing
            + entries.filter { expected.schedule[$0.schedule.name] != $0.job }.map {
                "The job '\($0.job)' declares the schedule entry '\($0.schedule.name)', "
                    + "which the timetable does not list."
            }
    }

    private static func faults(_ job: any Job.Type) -> [String] {
        var problems: [String] = []
        if !Queue.all.contains(where: { $0.name == job.queue.name }) {
            problems.append(
                "The job '\(job.name)' goes to the queue '\(job.queue.name)', which nobody takes from.")
        }
        if !(0...10).contains(job.priority) {
            problems.append("The job '\(job.name)' has the priority \(job.priority); it is 0 to 10.")
        }
        if job.retry.maximumAttempts < 1 || job.timeout <= .zero {
            problems.append("The job '\(job.name)' has no attempt, or no time for one.")
        }
        return problems
    }

    private static func faults(_ entry: Scheduler.Entry) -> [String] {
        let name = entry.schedule.name
        switch entry.schedule.cadence {
        case .never(let text): return ["The schedule entry '\(name)' has no cron line in '\(text)'."]
        case .every(let seconds) where seconds < 1:
            return ["The schedule entry '\(name)' runs every \(seconds) seconds; it is 1 or more."]
        case .every, .cron: return []
        }
    }

    private static func doubles(_ jobs: [any Job.Type], _ entries: [Scheduler.Entry]) -> [String] {
        func doubles(_ what: String, _ names: [String]) -> [String] {
            Dictionary(grouping: names) { $0 }.filter { $0.value.count > 1 }.map {
                "The \(what) '\($0.key)' is used \($0.value.count) times."
            }
        }
        return doubles("name", jobs.flatMap { [$0.name] + $0.formerNames })
            + doubles("schedule entry", entries.map(\.schedule.name))
    }
}
