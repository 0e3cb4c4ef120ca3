import JSON
import Synchronization

/// A server on standard input and output: one message per line.
///
/// Requests run concurrently and are answered as they finish. Whoever starts
/// the process is the caller. Nothing but messages is written; logs belong on
/// standard error.
package struct MCPStdio<Host: MCPHost>: Sendable {
    package typealias Write = @Sendable ([UInt8]) async throws -> Void

    private let server: MCPServer<Host>
    private let caller: Host.Caller
    private let identity: String
    private let session = LegacySession()
    private let running = RunningRequests()

    package init(server: MCPServer<Host>, caller: Host.Caller) {
        self.server = server
        self.caller = caller
        identity = server.host.identity(of: caller)
    }

    /// Serves until the input ends and what was running has ended too, or the
    /// drain limit has passed. Call it once.
    ///
    /// `write` gets whole lines, one at a time; when it throws, serving ends.
    package func run<Lines: AsyncSequence & Sendable>(
        lines: Lines, write: @escaping Write
    ) async throws where Lines.Element == [UInt8] {
        let outbox = Outbox()
        let send: Outbox.Send = { outbox.send($0, $1) }
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { outbox.finish() }
                try await read(lines, send)
            }
            while let message = await outbox.next() { try await write(SingleLine.of(message) + [0x0A]) }
            try await group.waitForAll()
        }
    }

    private func read<Lines: AsyncSequence & Sendable>(
        _ lines: Lines, _ send: @escaping Outbox.Send
    ) async throws where Lines.Element == [UInt8] {
        try await withThrowingDiscardingTaskGroup { group in
            for try await line in lines where line.contains(where: { $0 > 0x20 }) {
                guard let exchange = accept(line, send), let signal = running.add(exchange.id) else {
                    continue
                }
                let isListening = exchange.request.method == "subscriptions/listen"
                if isListening { running.markListening(exchange.id) }
                group.addTask { await self.serve(exchange, signal, send) }
            }
            running.endListening()
            guard !running.isEmpty else { return }
            let limit = server.configuration.drainLimit
            group.addTask {
                // Ends at once when the last request does.
                await withTaskGroup(of: Void.self) { race in
                    race.addTask { await running.waitUntilEmpty() }
                    race.addTask { try? await Task.sleep(for: limit) }
                    await race.next()
                    race.cancelAll()
                }
                running.cancelAll()
            }
        }
    }

    /// Handles what needs no work and returns a request that does.
    private func accept(_ line: [UInt8], _ send: Outbox.Send) -> Exchange<Host.Caller>? {
        let message: Message
        do {
            let document = try JSONValue(
                parsing: line, maximumDepth: server.configuration.maximumDepth,
                maximumBytes: server.configuration.maximumBodyBytes)
            message = try Message.read(document)
        } catch let problem as Message.Problem {
            send(Envelope.error(problem.error, id: problem.id), .needed)
            return nil
        } catch let problem as JSONError {
            send(Envelope.error(.parseError(problem), id: nil), .needed)
            return nil
        } catch {
            return nil
        }
        switch message {
        case .request(let request):
            return admit(request, send)
        case .response(let id, let answer):
            _ = server.pending.deliver(answer, to: id, from: identity)
        case .notification("notifications/cancelled", let params):
            // Unknown ids are ignored: the request may have just ended.
            if let id = params["requestId"].flatMap(RequestID.init) { running.cancel(id) }
        case .notification:
            break
        }
        return nil
    }

    private func admit(
        _ request: Message.Request, _ send: Outbox.Send
    ) -> Exchange<Host.Caller>? {
        do {
            var revision = session.snapshot.revision
            if MCPServer<Host>.isModern(request.params) || request.method == "server/discover" {
                try server.checkMeta(request)
                revision = try server.modernRevision(request)
            }
            var exchange = Exchange(
                request: request, caller: caller, identity: identity, revision: revision)
            exchange.session = session
            _ = try server.admit(exchange)
            return exchange
        } catch let error as MCPError {
            send(Envelope.error(error, id: request.id), .needed)
        } catch let refusal as Refusal {
            send(Envelope.error(refusal.error, id: request.id), .needed)
        } catch {
            send(Envelope.error(.internalError("The request could not be read"), id: request.id), .needed)
        }
        return nil
    }

    private func serve(
        _ exchange: Exchange<Host.Caller>, _ signal: StopSignal, _ send: @escaping Outbox.Send
    ) async {
        defer { running.remove(exchange.id) }
        var exchange = exchange
        // After a cancellation nothing more may be said about the request.
        exchange.send = { if !signal.isFired { send($0, $1) } }
        let admitted = exchange
        let reply = await withTaskGroup(of: Reply?.self) { race in
            race.addTask { await server.process(admitted) }
            race.addTask {
                await signal.wait()
                return nil
            }
            let first = await race.next() ?? nil
            race.cancelAll()
            return first
        }
        if let reply, !signal.isFired { send(reply.body, .needed) }
    }
}
