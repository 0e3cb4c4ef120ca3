import CPostgres
import Dispatch
import Glibc
import Logging

/// Serves reads and writes on one connection, which it opens when it is needed
/// and again when it is lost.
final class PostgresWorker {
    /// What a pool's thread is asked for.
    enum Work: Sendable {
        case read(Job<Snapshot>)
        case write(WriteJob)

        func fail(_ error: any Error) {
            switch self {
            case .read(let job): job.fail(error)
            case .write(let job): job.job.fail(error)
            }
        }
    }

    /// How often a job may meet a lost connection. More than once only when the
    /// server goes away again at once.
    private static let maximumLosses = 2
    private static let reconnectPause: UInt32 = 100_000

    private let queue: WorkQueue<Work>
    private let open: @Sendable () throws -> PostgresSession
    private let counters: Counters
    private let settings: DatabaseSettings
    private let logger: Logger
    private var session: PostgresSession?
    /// After a connection was lost the server may be starting; when it has failed
    /// to come back, calls fail at once until it does.
    private var isPatient = false
    private var hasConnected = false
    /// Reads up to this number may use the snapshot that is open.
    private var snapshotSequence: UInt64?

    init(
        queue: WorkQueue<Work>, counters: Counters, settings: DatabaseSettings, logger: Logger,
        open: @escaping @Sendable () throws -> PostgresSession
    ) {
        self.queue = queue
        self.counters = counters
        self.settings = settings
        self.logger = logger
        self.open = open
    }

    /// Returns when the queue is closed and empty.
    func serve() {
        let parking = DispatchSemaphore(value: 0)
        var isBusy = false
        while let (entry, lastSequence) = next(parking, &isBusy) {
            switch entry.job {
            case .read(let job): read(job, sequence: entry.sequence, lastSequence: lastSequence)
            case .write(let job): write(job)
            }
        }
    }

    /// The end of a read's transaction travels with the next job, or goes alone
    /// when none is waiting: a snapshot must not stay open.
    private func next(
        _ parking: DispatchSemaphore, _ isBusy: inout Bool
    ) -> (entry: WorkQueue<Work>.Entry, lastSequence: UInt64)? {
        if isBusy, let next = queue.nextIfReady(where: { _ in true }) { return next }
        endSnapshot()
        return queue.next(parking, isBusy: &isBusy)
    }

    private func endSnapshot() {
        guard snapshotSequence != nil else { return }
        snapshotSequence = nil
        // A lost connection is noticed, and replaced, by `connected`.
        try? session?.rollback()
    }

    private func read(_ job: Job<Snapshot>, sequence: UInt64, lastSequence: UInt64) {
        var losses = 0
        for attempt in 1... {
            let session: PostgresSession
            do { session = try connected() } catch { return job.fail(error) }
            if let shared = snapshotSequence, sequence <= shared {
                // It holds every write that was acknowledged before this was asked for.
            } else {
                session.begin(.read)
                snapshotSequence = lastSequence
            }
            let snapshot = Snapshot(session: session)
            let result = job.attempt(snapshot)
            snapshot.end()
            switch session.endRead() {
            case .refuted:
                snapshotSequence = nil
                continue
            case .sent: snapshotSequence = nil
            case .no, .possible, .first: break
            }
            if case .finished(let resume) = result, snapshot.failure == nil {
                counters.update { $0.reads += 1 }
                return resume()
            }
            // A body may throw for its own reasons; the snapshot is then as good as ever.
            if snapshot.failure != nil { endSnapshot() }
            if case .threw(let error) = result { snapshot.noteThrown(error) }
            if shouldRepeat(snapshot, attempt: attempt, losses: &losses) { continue }
            switch result {
            case .threw(let error): return job.fail(error)
            case .finished: return job.fail(snapshot.failure ?? StorageError.closed)
            }
        }
    }

    private func write(_ work: WriteJob) {
        var losses = 0
        for attempt in 1... {
            let session: PostgresSession
            do { session = try connected() } catch { return work.job.fail(error) }
            snapshotSequence = nil
            session.begin(.write)
            let ended = EndedTransaction(work.job, on: session)
            if ended.error != nil || work.isRehearsal {
                try? session.rollback()
            }
            if let error = ended.error {
                ended.transaction.noteThrown(error)
                if shouldRepeat(ended.transaction, attempt: attempt, losses: &losses) { continue }
                return work.job.fail(error)
            }
            if work.isRehearsal { return ended.resume() }
            do {
                try session.commit(ended.transaction.notifications)
            } catch {
                try? session.rollback()
                if !session.isOutcomeUnknown {
                    ended.transaction.note(error)
                    if shouldRepeat(ended.transaction, attempt: attempt, losses: &losses) { continue }
                }
                return work.job.fail(error)
            }
            counters.update { $0.writes += 1 }
            for action in ended.transaction.actions { action() }
            return ended.resume()
        }
    }

    /// Whether the closure may run again, after a pause if another transaction was
    /// in the way. Its transaction was undone, or lost before its commit was sent.
    private func shouldRepeat(_ scope: Snapshot, attempt: Int, losses: inout Int) -> Bool {
        if case .connection = scope.failure, session?.isBroken == true {
            losses += 1
            if losses <= Self.maximumLosses {
                counters.update { $0.retries += 1 }
                return true
            }
        } else if scope.passingFailure != nil, attempt < settings.maximumAttempts {
            pause(attempt)
            return true
        }
        return false
    }

    /// Longer after each attempt, and uneven, so that two transactions that met
    /// do not meet again.
    private func pause(_ attempt: Int) {
        counters.update { $0.retries += 1 }
        usleep(UInt32.random(in: 500...2000) << UInt32(min(attempt, 6)))
    }

    private func connected() throws -> PostgresSession {
        if let session, !session.isBroken { return session }
        session = nil
        snapshotSequence = nil
        let deadline = DispatchTime.now().uptimeNanoseconds + UInt64(settings.maximumWait.microseconds) * 1000
        while true {
            do {
                let opened = try open()
                if hasConnected { counters.update { $0.reconnects += 1 } }
                hasConnected = true
                session = opened
                isPatient = true
                return opened
            } catch {
                guard isPatient, DispatchTime.now().uptimeNanoseconds < deadline else {
                    isPatient = false
                    logger.warning("PostgreSQL cannot be reached", metadata: ["error": "\(error)"])
                    throw error
                }
                usleep(Self.reconnectPause)
            }
        }
    }
}
