import Dispatch

/// Serves reads on one connection.
struct SQLiteReader {
    let session: SQLiteSession
    let queue: WorkQueue<Job<Snapshot>>
    let counters: Counters

    /// Returns when the queue is closed and empty.
    func serve() {
        let parking = DispatchSemaphore(value: 0)
        var isBusy = false
        while let (first, lastSequence) = queue.next(parking, isBusy: &isBusy) {
            var served = 1
            run(first.job)
            // Those that were waiting when the snapshot began may share it: it holds
            // every write that was acknowledged before they asked.
            while let next = queue.nextIfReady(where: { $0.sequence <= lastSequence }) {
                run(next.entry.job)
                served += 1
            }
            end()
            counters.update { $0.reads += served }
        }
    }

    private func run(_ job: Job<Snapshot>) {
        do {
            if !session.isInTransaction { try session.begin("DEFERRED") }
        } catch {
            return job.fail(error)
        }
        let snapshot = Snapshot(session: session)
        let attempt = job.attempt(snapshot)
        snapshot.end()
        switch attempt {
        case .threw(let error): job.fail(error)
        case .finished(let resume):
            if let failure = snapshot.failure { job.fail(failure) } else { resume() }
        }
    }

    private func end() {
        guard session.isInTransaction else { return }
        do { try session.commit() } catch { session.rollback() }
    }
}
