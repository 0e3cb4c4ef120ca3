import JSON

extension MCPServer {
    /// A body that carries the messages of a request and last its response.
    func stream(_ exchange: Exchange<Caller>) -> EventStream {
        let cancels = exchange.revision.isModern
        return EventStream(headers: ServerSentEvents.headers, cancelsOnDisconnect: cancels) { write in
            let (messages, continuation) = AsyncStream<[UInt8]>.makeStream()
            var exchange = exchange
            exchange.send = { continuation.yield($0) }
            let admitted = exchange
            let interval = configuration.keepAlive
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let reply = await process(admitted)
                    if !Task.isCancelled { continuation.yield(reply.body) }
                    continuation.finish()
                }
                group.addTask {
                    // An empty message stands for a keep-alive.
                    while true {
                        try await Task.sleep(for: interval)
                        continuation.yield([])
                    }
                }
                defer { group.cancelAll() }
                try await Self.forward(messages, write, stopsOnFailure: cancels)
            }
        }
    }

    /// Writes messages until there are no more. When the client is gone, a
    /// legacy request still runs to its end.
    private static func forward(
        _ messages: AsyncStream<[UInt8]>, _ write: EventStream.Sink, stopsOnFailure: Bool
    ) async throws {
        var failure: (any Error)?
        for await message in messages where failure == nil {
            do {
                try await write(
                    message.isEmpty ? ServerSentEvents.keepAlive : ServerSentEvents.event(message))
            } catch {
                if stopsOnFailure { throw error }
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
