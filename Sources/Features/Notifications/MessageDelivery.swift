import Kernel
import Storage

/// One attempt to deliver one message.
struct MessageDelivery: Sendable {
    var message: OutboxMessage
    let sender: MessageSender
    let attempt: JobAttempt

    private var now: Instant { attempt.context.environment.now() }
    private var hasCalls: Bool { message.attemptCount < DeliverEvent.retry.maximumAttempts }

    /// Deals with an earlier call whose outcome is not known.
    /// - Returns: whether the message is still to be sent; otherwise the attempt is settled.
    mutating func resolveDoubt() async throws -> Bool {
        if message.status == .sending {
            guard message.provider == sender.name else {
                try await end(.unknown, "another provider may have it")
                return false
            }
            if case .lookUp(let look) = sender.doubt {
                guard try await settled(by: look) else { return false }
                message.status = .pending
            }
        }
        guard hasCalls, !message.isExpired(at: now) else {
            let why = hasCalls ? "expired" : "no attempt is left"
            try await end(message.status == .sending ? .unknown : .failed, why)
            return false
        }
        return true
    }

    /// - Returns: whether the provider does not have it; otherwise the attempt is settled.
    private func settled(
        by look: @Sendable (OutboxMessage, Clients, MessageSender.KnownIDs) async throws -> LookUp
    ) async throws -> Bool {
        if let calledAt = message.calledAt, calledAt + DeliverEvent.lookUpDelay > now {
            try await pause(calledAt + DeliverEvent.lookUpDelay - now, "to be looked up")
            return false
        }
        let (database, name) = (attempt.database, sender.name)
        let found = try await look(message, attempt.context.clients) { ids in
            try await database.read { try OutboxMessage.claimed(ids, provider: name, $0) }
        }
        switch found {
        case .notTaken: return true
        case .taken(let id): try await succeed(id)
        case .refused(let code, let id): try await end(.failed, code, id)
        case .undecided(let reason): try await tryAgain(reason, isLast: attempt.isLast)
        }
        return false
    }

    /// Commits that a call begins, makes it and settles how it ended.
    mutating func send() async throws {
        let wasInDoubt = message.status == .sending
        try await begin()
        switch try await sender.send(message, attempt.context.clients) {
        case .accepted(let id): try await succeed(id)
        // It refuses the repeat; what it did with the first call it did not say.
        case .refused(let code): try await end(wasInDoubt ? .unknown : .failed, code)
        case .busy(let code, let wait): try await postpone(wait, code, wasInDoubt: wasInDoubt)
        case .unknown(let reason): try await failed(reason)
        }
    }

    private mutating func begin() async throws {
        let (read, sender, now) = (message, sender, now)
        message = try await attempt.database.write { tx in
            guard var message = try OutboxMessage.lock(read.id, tx), message.status.isOpen,
                message.attemptCount == read.attemptCount
            else { throw Failure(.unavailable, "Another worker is at the message \(read.id).") }
            message.status = read.status
            try message.begin(sender, tx, now: now, deadline: now + DeliverEvent.timeout)
            return message
        }
    }

    private func succeed(_ id: String?) async throws {
        try await attempt.settle { [message, sender, now] tx, _ in
            try sender.record(message, tx, now)
            try message.sent(id, tx, now: now)
            return .completed
        }
    }

    private func end(_ status: OutboxStatus, _ error: String, _ providerID: String? = nil) async throws {
        try await attempt.settle { [message, attempt, now] tx, _ in
            try message.close(status, error, providerID: providerID, tx, attempt.context, now: now)
            return .discard(error: error)
        }
    }

    /// After a call of unknown outcome. When it was the last, what can be looked up
    /// is looked up once more, and nothing is sent again.
    private func failed(_ reason: String) async throws {
        let isLast = attempt.isLast || !hasCalls
        if isLast, case .lookUp = sender.doubt { return try await pause(DeliverEvent.lookUpDelay, reason) }
        try await tryAgain(reason, isLast: isLast)
    }

    private func tryAgain(_ reason: String, isLast: Bool) async throws {
        if isLast { return try await end(.unknown, reason) }
        let next = now + DeliverEvent.retry.delay(after: attempt.record.attempt)
        try await attempt.settle { [message, now] tx, _ in
            try message.wait(.sending, until: next, reason, tx, now: now)
            return .retry(error: reason)
        }
    }

    private func pause(_ wait: Duration, _ reason: String) async throws {
        try await attempt.settle { [message, now] tx, _ in
            try message.wait(.sending, until: now + wait, reason, tx, now: now)
            return .snooze(wait)
        }
    }

    /// The provider did not take it and asked to wait, which uses up no attempt.
    private func postpone(_ wait: Duration, _ code: String, wasInDoubt: Bool) async throws {
        let status: OutboxStatus = wasInDoubt ? .sending : .pending
        guard !message.isExpired(at: now + wait) else {
            return try await end(wasInDoubt ? .unknown : .failed, code)
        }
        try await attempt.settle { [message, now] tx, _ in
            try message.wait(status, until: now + wait, code, uncounted: true, tx, now: now)
            return .snooze(wait)
        }
    }
}
