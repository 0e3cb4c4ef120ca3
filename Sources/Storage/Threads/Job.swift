/// A caller's closure on its way to a worker, with the caller who waits for it.
///
/// A job ends exactly once: by the `resume` of a finished attempt, or by `fail`.
/// Attempts before that leave no trace.
struct Job<Scope: Snapshot>: Sendable {
    /// How a closure ended, before its fate is known.
    enum Attempt {
        case finished(resume: @Sendable () -> Void)
        case threw(any Error)
    }

    let attempt: @Sendable (Scope) -> Attempt
    let fail: @Sendable (any Error) -> Void

    init<Value: Sendable>(
        _ body: @escaping @Sendable (Scope) throws -> Value,
        resuming caller: CheckedContinuation<Value, any Error>
    ) {
        attempt = { scope in
            do {
                let value = try body(scope)
                return .finished { caller.resume(returning: value) }
            } catch {
                return .threw(error)
            }
        }
        fail = { caller.resume(throwing: $0) }
    }
}

/// What a caller asked a transaction for.
struct WriteJob: Sendable {
    let job: Job<Transaction>
    /// Always undone at the end.
    let isRehearsal: Bool
}

/// A transaction whose closure has ended.
struct EndedTransaction {
    let transaction: Transaction
    private let attempt: Job<Transaction>.Attempt

    /// Runs the closure.
    init(_ job: Job<Transaction>, on session: any Session) {
        transaction = Transaction(session: session)
        attempt = job.attempt(transaction)
        transaction.end()
    }

    /// Why it must be undone: what the closure threw, or a refusal it ignored.
    var error: (any Error)? {
        switch attempt {
        case .threw(let error): error
        case .finished: transaction.failure
        }
    }

    /// Hands the value to the caller. Only for a transaction without an error.
    func resume() {
        if case .finished(let resume) = attempt { resume() }
    }
}
