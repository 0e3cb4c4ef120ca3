import Dispatch

/// Serves writes on the one connection that may, several in one commit.
///
/// A commit waits for the disk, so every write that is queued by then joins the
/// next one: each runs inside a savepoint of its own, the commit makes all of
/// them durable, and only then is anyone told, also those that failed, because
/// they may have failed over what another had written.
struct SQLiteWriter {
    /// The savepoint around each write of a group; those of the closures are
    /// numbered from 1.
    private static let groupDepth = 0

    let session: SQLiteSession
    let queue: WorkQueue<WriteJob>
    let hub: ChannelHub
    let counters: Counters
    let settings: DatabaseSettings

    /// Returns when the queue is closed and empty.
    func serve() {
        let parking = DispatchSemaphore(value: 0)
        var isBusy = false
        while let (first, _) = queue.next(parking, isBusy: &isBusy) {
            // A rehearsal runs alone: what it undoes may take long, and nobody
            // should wait for that between a write and its commit.
            if first.job.isRehearsal {
                rehearse(first.job.job)
                continue
            }
            var group = [first.job.job]
            while group.count < settings.maximumGroup,
                let next = queue.nextIfReady(where: { !$0.job.isRehearsal })
            {
                group.append(next.entry.job.job)
            }
            write(group)
        }
    }

    private func rehearse(_ job: Job<Transaction>) {
        do { try begin() } catch { return job.fail(error) }
        let ended = EndedTransaction(job, on: session)
        session.rollback()
        if let error = ended.error { job.fail(error) } else { ended.resume() }
    }

    private func write(_ group: [Job<Transaction>]) {
        var waiting = group
        while !waiting.isEmpty {
            do { try begin() } catch {
                for job in waiting { job.fail(error) }
                return
            }
            var ended: [EndedTransaction] = []
            for job in waiting {
                ended.append(run(job, isAlone: waiting.count == 1))
                if !session.isInTransaction { break }
            }
            if let last = ended.last, let error = last.error, !session.isInTransaction || waiting.count == 1 {
                // Alone, it is undone. Otherwise it took the whole group's transaction
                // with it (a full disk, a timeout), and the others start again.
                session.rollback()
                waiting.remove(at: ended.count - 1).fail(error)
                counters.update { [retries = waiting.count] in $0.retries += retries }
                continue
            }
            do {
                try session.commit()
            } catch {
                session.rollback()
                return writeOneByOne(waiting, after: error)
            }
            counters.update { [written = ended.count { $0.error == nil }] in
                $0.writes += written
                $0.groupCommits += 1
            }
            return announce(waiting, ended)
        }
    }

    /// A commit was refused, by a constraint that is only checked then or by the
    /// disk. Each write is tried by itself, so that it fails for itself.
    private func writeOneByOne(_ group: [Job<Transaction>], after error: any Error) {
        guard group.count > 1 else {
            for job in group { job.fail(error) }
            return
        }
        counters.update { $0.retries += group.count }
        for job in group { write([job]) }
    }

    private func run(_ job: Job<Transaction>, isAlone: Bool) -> EndedTransaction {
        session.restoreTimeLimit()
        // A savepoint that cannot be opened leaves the job to fail by its statements.
        if !isAlone { try? session.savepoint(Self.groupDepth) }
        let ended = EndedTransaction(job, on: session)
        guard !isAlone, session.isInTransaction else { return ended }
        if ended.error == nil {
            try? session.release(Self.groupDepth)
        } else {
            try? session.rollback(to: Self.groupDepth)
        }
        return ended
    }

    private func announce(_ group: [Job<Transaction>], _ ended: [EndedTransaction]) {
        for (job, ended) in zip(group, ended) {
            if let error = ended.error {
                job.fail(error)
                continue
            }
            for action in ended.transaction.actions { action() }
            for notification in ended.transaction.notifications {
                hub.publish(notification.payload, to: notification.channel)
            }
            ended.resume()
        }
    }

    /// Takes the write lock. SQLite itself waits `busyTimeout` for another process
    /// each of the two times.
    private func begin() throws {
        do {
            try session.begin("IMMEDIATE")
        } catch StorageError.busy {
            counters.update { $0.retries += 1 }
            try session.begin("IMMEDIATE")
        }
    }
}
