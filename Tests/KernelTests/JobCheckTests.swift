import Features
import PlatformSupport
import Storage
import Testing

@testable import Kernel

/// A process does not start with jobs that could never run.
@Suite struct JobCheckTests {
    private static let jobs = kernelJobs + allFeatures.flatMap(\.jobs)

    private static func problems(
        _ jobs: [any Job.Type], _ expected: ExpectedJobs = timetable
    ) -> [String] { JobCheck.problems(jobs, Configuration(), expecting: expected) }

    /// The timetable with the test's own jobs and entries.
    private static func expecting(_ jobs: Set<String>, _ schedule: [String: String] = [:]) -> ExpectedJobs {
        ExpectedJobs(
            jobs: timetable.jobs.union(jobs), schedule: timetable.schedule.merging(schedule) { $1 })
    }

    private struct Renamed: Job {
        static let name = "test.renamed"
        func run(_ attempt: JobAttempt) async throws {}
    }
    private struct Stray: Job {
        static let name = "test.stray"
        static let queue = Queue("nowhere", concurrency: 1)
        func run(_ attempt: JobAttempt) async throws {}
    }
    private struct Former: Job {
        static let name = "test.former"
        static let formerNames = ["webhooks.process"]
        func run(_ attempt: JobAttempt) async throws {}
    }
    private struct Hasty: Job {
        static let name = "test.hasty"
        static let priority = 11
        static let retry = RetryPolicy(maximumAttempts: 0)
        func run(_ attempt: JobAttempt) async throws {}
    }
    private struct Planned: ScheduledJob {
        static let name = "test.planned"
        static func schedules(_ configuration: Configuration) -> [JobSchedule] {
            [
                JobSchedule("bad-text", cron: "0 0 31 2 *"), JobSchedule("no-time", .every(seconds: 0)),
                JobSchedule("prune-task-history", cron: "* * * * *"),
            ]
        }
        func run(_ attempt: JobAttempt) async throws {}
    }

    @Test func theProductHasNoProblems() {
        #expect(JobCheck.problems(allFeatures, Configuration(), expecting: timetable) == [])
    }

    @Test(arguments: jobs.map { $0.name }) func aHandlerThatIsRemovedIsMissed(name: String) {
        let problems = Self.problems(Self.jobs.filter { $0.name != name })
        #expect(problems.contains { $0.contains("'\(name)'") })
        for entry in timetable.schedule.filter({ $0.value == name }).keys {
            #expect(problems.contains { $0.contains("'\(entry)'") })
        }
    }

    @Test(arguments: jobs.map { $0.name }) func aHandlerThatIsRenamedIsMissedAndItsNewNameRefused(
        name: String
    ) {
        let problems = Self.problems(Self.jobs.map { $0.name == name ? Renamed.self : $0 })
        #expect(problems.contains { $0.contains("'\(name)'") })
        #expect(problems.contains { $0.contains("'test.renamed'") })
    }

    @Test(arguments: jobs.map { $0.name }) func twoHandlersOfOneNameAreRefused(name: String) {
        let problems = Self.problems(Self.jobs + Self.jobs.filter { $0.name == name })
        #expect(problems.contains("The name '\(name)' is used 2 times."))
    }

    @Test func aNameThatAnotherJobHadIsRefused() {
        let problems = Self.problems(Self.jobs + [Former.self], Self.expecting(["test.former"]))
        #expect(problems == ["The name 'webhooks.process' is used 2 times."])
    }

    @Test func aQueueThatNobodyTakesFromIsRefused() {
        let problems = Self.problems(Self.jobs + [Stray.self], Self.expecting(["test.stray"]))
        #expect(
            problems == ["The job 'test.stray' goes to the queue 'nowhere', which nobody takes from."])
    }

    @Test func whatTheTableOfJobsWouldRefuseIsRefusedBefore() {
        let problems = Self.problems(Self.jobs + [Hasty.self], Self.expecting(["test.hasty"]))
        #expect(
            problems == [
                "The job 'test.hasty' has no attempt, or no time for one.",
                "The job 'test.hasty' has the priority 11; it is 0 to 10.",
            ])
    }

    @Test func anEntryWithoutATimeOrTwiceTheSameIsRefused() {
        let expected = Self.expecting(
            ["test.planned"], ["bad-text": "test.planned", "no-time": "test.planned"])
        let problems = Self.problems(Self.jobs + [Planned.self], expected)
        #expect(
            problems == [
                "The job 'test.planned' declares the schedule entry 'prune-task-history', "
                    + "which the timetable does not list.",
                "The schedule entry 'bad-text' has no cron line in '0 0 31 2 *'.",
                "The schedule entry 'no-time' runs every 0 seconds; it is 1 or more.",
                "The schedule entry 'prune-task-history' is used 2 times.",
            ])
    }

    @Test func anEntryAndAJobThatNobodyExpectsAreRefused() {
        let problems = Self.problems(Self.jobs + [TestSchedule.Sweep.self])
        #expect(
            problems == [
                "A feature handles the job 'test.sweep', which is not on the list of expected jobs.",
                "The job 'test.sweep' declares the schedule entry 'sweep', which the timetable does not list.",
            ])
    }

    @Test func anEntryThatItsJobDoesNotDeclareIsRefused() {
        let problems = Self.problems(Self.jobs, Self.expecting([], ["nightly": "webhooks.process"]))
        #expect(problems == ["The job 'webhooks.process' does not declare its schedule entry 'nightly'."])
    }
}
