import DequeModule
import Dispatch
import Synchronization

/// A bounded queue of jobs for a few threads that each own a connection.
///
/// Jobs leave in the order they came. One that has waited too long is given to
/// `refuse` by a thread that runs ``watch()``, also when every worker is stuck.
final class WorkQueue<Job: Sendable>: Sendable {
    struct Entry: Sendable {
        let job: Job
        /// Counts up. A job may be served from any state of the database that
        /// was read after ``lastSequence`` had reached its number.
        let sequence: UInt64
        fileprivate let deadline: UInt64
    }

    private struct State {
        var entries = Deque<Entry>()
        var idle: [DispatchSemaphore] = []
        var sequence: UInt64 = 0
        var busy = 0
        var isClosed = false
        var isWatcherAsleep = false
    }

    private let state = Mutex(State())
    private let watcher = DispatchSemaphore(value: 0)
    private let limit: Int
    private let maximumWait: UInt64
    private let refuse: @Sendable (Job, _ waiting: Int) -> Void

    /// `refuse` is told how many were waiting.
    init(limit: Int, maximumWait: Duration, refuse: @escaping @Sendable (Job, _ waiting: Int) -> Void) {
        self.limit = limit
        self.maximumWait = UInt64(max(1, maximumWait.microseconds)) * 1000
        self.refuse = refuse
    }

    /// Adds a job, or refuses it at once when the queue is full.
    ///
    /// Throws ``StorageError/closed`` after ``close()``.
    func push(_ job: Job) throws {
        let deadline = DispatchTime.now().uptimeNanoseconds &+ maximumWait
        var worker: DispatchSemaphore?
        var wakesWatcher = false
        let refused = try state.withLock { state -> Int? in
            guard !state.isClosed else { throw StorageError.closed }
            guard state.entries.count < limit else { return state.entries.count }
            state.sequence += 1
            state.entries.append(Entry(job: job, sequence: state.sequence, deadline: deadline))
            worker = state.idle.popLast()
            // An idle worker takes it within its deadline.
            if worker == nil, state.isWatcherAsleep {
                state.isWatcherAsleep = false
                wakesWatcher = true
            }
            return nil
        }
        worker?.signal()
        if wakesWatcher { watcher.signal() }
        if let refused { refuse(job, refused) }
    }

    /// Waits for a job; nil when the queue is closed and empty. `parking` is the
    /// worker's own semaphore, `isBusy` whether it is still counted as serving.
    func next(_ parking: DispatchSemaphore, isBusy: inout Bool) -> (entry: Entry, lastSequence: UInt64)? {
        while true {
            let wasBusy = isBusy
            isBusy = false
            let (taken, isClosed) = state.withLock { state -> ((Entry, UInt64)?, Bool) in
                if wasBusy { state.busy -= 1 }
                if let entry = state.entries.popFirst() {
                    state.busy += 1
                    return ((entry, state.sequence), false)
                }
                if !state.isClosed { state.idle.append(parking) }
                return (nil, state.isClosed)
            }
            if let taken {
                isBusy = true
                return (taken.0, taken.1)
            }
            if isClosed { return nil }
            parking.wait()
        }
    }

    /// The next job if there is one and `condition` holds for it. For a worker
    /// that is serving already.
    func nextIfReady(where condition: (Entry) -> Bool) -> (entry: Entry, lastSequence: UInt64)? {
        state.withLock { state in
            guard let first = state.entries.first, condition(first) else { return nil }
            state.entries.removeFirst()
            return (first, state.sequence)
        }
    }

    /// Refuses what has waited too long; returns when the queue is closed. Runs on
    /// a thread of its own.
    func watch() {
        while true {
            var expired: [Job] = []
            let (wait, count) = state.withLock { state -> (UInt64?, Int) in
                let count = state.entries.count
                let now = DispatchTime.now().uptimeNanoseconds
                while let first = state.entries.first, first.deadline <= now {
                    expired.append(first.job)
                    state.entries.removeFirst()
                }
                if let first = state.entries.first { return (first.deadline - now, count) }
                state.isWatcherAsleep = !state.isClosed
                return (state.isClosed ? 0 : nil, count)
            }
            for job in expired { refuse(job, count) }
            if wait == 0 { return }
            if let wait {
                _ = watcher.wait(timeout: .now() + .nanoseconds(Int(wait)))
            } else {
                watcher.wait()
            }
        }
    }

    /// Takes no more jobs; what is queued is still served.
    func close() {
        let idle = state.withLock { state -> [DispatchSemaphore] in
            state.isClosed = true
            state.isWatcherAsleep = false
            defer { state.idle = [] }
            return state.idle
        }
        for worker in idle { worker.signal() }
        watcher.signal()
    }

    var load: (busy: Int, waiting: Int) { state.withLock { ($0.busy, $0.entries.count) } }
}
