/// Looks for jobs that could never run, before a process starts.
///
/// A schedule that names a task which nobody registered is silent: nothing
/// fails, and nothing runs. So what is expected is written down apart from the
/// handlers, and either without the other is an error.
package enum JobCheck {
    /// - Parameter expected: every entry of the schedule and the job it names.
    /// - Returns: what is wrong, each with the name of the culprit.
    package static func problems(
        _ features: [Feature], _ configuration: Configuration, expecting expected: [String: String]
    ) -> [String] {
        let jobs = kernelJobs + features.flatMap(\.jobs)
        let handlers = Set(jobs.map { $0.name })
        let entries = Scheduler.entries(features, configuration)
        var problems: [String] = []
        for (entry, job) in expected.sorted(by: { $0.key < $1.key }) {
            if !handlers.contains(job) {
                problems.append(
                    "The schedule entry '\(entry)' names the job '\(job)', which no feature handles.")
            } else if !entries.contains(where: { $0.schedule.name == entry && $0.job == job }) {
                problems.append("The job '\(job)' does not declare its schedule entry '\(entry)'.")
            }
        }
        for entry in entries {
            if expected[entry.schedule.name] != entry.job {
                problems.append(
                    "The job '\(entry.job)' declares the schedule entry '\(entry.schedule.name)', "
                        + "which the timetable does not list.")
            }
            if case .never(let text) = entry.schedule.cadence {
                problems.append("The schedule entry '\(entry.schedule.name)' has no cron line in '\(text)'.")
            }
        }
        let queues = Set(Queue.all.map(\.name))
        for job in jobs {
            if !queues.contains(job.queue.name) {
                problems.append(
                    "The job '\(job.name)' goes to the queue '\(job.queue.name)', which nobody takes from.")
            }
            if !(0...10).contains(job.priority) {
                problems.append("The job '\(job.name)' has the priority \(job.priority); it is 0 to 10.")
            }
        }
        let names = jobs.flatMap { [$0.name] + $0.formerNames } + entries.map { "entry " + $0.schedule.name }
        for (name, same) in Dictionary(grouping: names, by: { $0 }) where same.count > 1 {
            problems.append("The name '\(name)' is used \(same.count) times.")
        }
        return problems.sorted()
    }
}
