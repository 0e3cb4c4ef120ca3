import JSON

extension MCPServer {
    /// A body that carries the messages of a request and last its response.
    func stream(_ exchange: Exchange<Caller>) -> EventStream {
        let cancels = exchange.revision.isModern
        let stop = StopSignal()
        return EventStream(
            headers: ServerSentEvents.headers, cancelsOnDisconnect: cancels, stop: { stop.fire() }
        ) { write in
            let outbox = Outbox()
            var exchange = exchange
            exchange.send = { outbox.send($0, $1) }
            let admitted = exchange
            let interval = configuration.keepAlive
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    let reply = await stop.cancelling { await process(admitted) }
                    outbox.finish(with: reply?.body)
                }
                group.addTask {
                    // An empty message stands for a keep-alive.
                    while true {
                        try await Task.sleep(for: interval)
                        outbox.send([], .whenIdle)
                    }
                }
                defer { group.cancelAll() }
                try await Self.forward(outbox, write, stopsOnFailure: cancels)
            }
        }
    }

    /// Writes messages until there are no more. When the client is gone, a
    /// legacy request still runs to its end.
    private static func forward(
        _ outbox: Outbox, _ write: EventStream.Sink, stopsOnFailure: Bool
    ) async throws {
        var failure: (any Error)?
        while let message = await outbox.next() {
            if failure != nil { continue }
            do {
                try await write(
                    message.isEmpty ? ServerSentEvents.keepAlive : ServerSentEvents.event(message))
            } catch {
                if stopsOnFailure { throw error }
                failure = error
            }
        }
        if let failure { throw failure }
        try Task.checkCancellation()
    }
}
