import JSON
import Synchronization

/// Questions sent to legacy clients that wait for an answer.
///
/// An answer counts only with the question's unguessable id and from the
/// caller that was asked. Questions live in this process: behind a balancer, a
/// client's answers must reach the process that asked.
final class PendingAnswers: Sendable {
    typealias Answer = Result<JSONValue, MCPError>

    private struct Entry {
        let identity: String
        let continuation: AsyncStream<Answer>.Continuation
    }

    private let entries = Mutex<[String: Entry]>([:])
    private let limit: Int

    init(limit: Int) { self.limit = limit }

    /// A new question: its id and where the answer will come. Nil when too many are open.
    func open(for identity: String) -> (id: String, answers: AsyncStream<Answer>)? {
        let (answers, continuation) = AsyncStream<Answer>.makeStream(bufferingPolicy: .bufferingNewest(1))
        let id = Self.randomID()
        let isOpen = entries.withLock { entries in
            guard entries.count < limit else { return false }
            entries[id] = Entry(identity: identity, continuation: continuation)
            return true
        }
        return isOpen ? (id, answers) : nil
    }

    /// Forgets a question.
    func close(_ id: String) {
        entries.withLock { $0.removeValue(forKey: id) }?.continuation.finish()
    }

    /// Passes an answer on; false when nobody waits for it from this caller.
    func deliver(_ answer: Answer, to id: RequestID, from identity: String) -> Bool {
        guard case .string(let id) = id else { return false }
        let entry = entries.withLock { entries -> Entry? in
            guard let entry = entries[id], entry.identity == identity else { return nil }
            entries[id] = nil
            return entry
        }
        guard let entry else { return false }
        entry.continuation.yield(answer)
        entry.continuation.finish()
        return true
    }

    private static func randomID() -> String {
        // The system's generator is cryptographically secure.
        var generator = SystemRandomNumberGenerator()
        let bytes = (0..<18).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
        return "ask-\(Base64.encode(bytes, .url))"
    }
}

/// Asks one client while one of its requests is being processed.
struct ClientAsker: Sendable {
    let pending: PendingAnswers
    let identity: String
    /// What can be asked for.
    let capabilities: ClientCapabilities
    let limit: Duration
    let send: Outbox.Send

    func ask(_ request: InputRequest) async throws -> JSONValue {
        guard request.isAnswerable(by: capabilities) else { throw AskError.unavailable }
        guard let (id, answers) = pending.open(for: identity) else { throw AskError.busy }
        defer { pending.close(id) }
        send(Envelope.request(id: id, request), .needed)
        let answer = try await withThrowingTaskGroup(of: PendingAnswers.Answer?.self) { group in
            group.addTask { await answers.first { _ in true } }
            group.addTask {
                try await Task.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            return try await group.next() ?? nil
        }
        try Task.checkCancellation()
        switch answer {
        case .success(let result): return result
        case .failure(let error): throw AskError.refused(error.message)
        case nil:
            send(Envelope.notification("notifications/cancelled", ["requestId": .string(id)]), .needed)
            throw AskError.timedOut
        }
    }
}
