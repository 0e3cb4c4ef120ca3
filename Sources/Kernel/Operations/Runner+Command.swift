import JSON
import Logging
import Storage

extension Runner {
    /// Runs a command in the mode that its arguments ask for.
    func act<C: Command>(
        _ command: C, _ arguments: JSONObject, _ options: CallOptions, _ context: Context
    ) async throws -> Answer {
        let call = CallFingerprint(context, operation: C.name, arguments: arguments)
        var command = command
        try await command.prepare(Reader(database), context)
        if command.isDryRun { return try await preview(command, arguments, call, context, mode: .dryRun) }
        if command.needsConfirmation, options.confirmToken == nil {
            if let key = options.idempotencyKey, let stored = try await stored(key, call, context) {
                return stored
            }
            return try await preview(command, arguments, call, context, mode: .awaitingConfirmation)
        }
        do {
            return try await commit(command, arguments, options, call, context)
        } catch {
            // Another call with the same key may have committed while this one waited: it
            // took the key, used up the token or changed the rows. Answer with what it stored.
            guard let key = options.idempotencyKey, let stored = try await stored(key, call, context) else {
                throw error
            }
            return stored
        }
    }

    private func commit<C: Command>(
        _ command: C, _ arguments: JSONObject, _ options: CallOptions, _ call: CallFingerprint,
        _ context: Context
    ) async throws -> Answer {
        let result: Result<Committed<C.Output>, KeptRefusal> = try await database.transaction(
            context, category: C.audience.category(of: context.actor)
        ) { tx, unit in
            if let key = options.idempotencyKey, let stored = try Idempotency.lookUp(key, call, tx, context) {
                return .success(.init(answer: Answer(bytes: stored, isRepeat: true)))
            }
            let expected = try options.confirmToken.map {
                try Confirmation.redeem($0, for: call, tx, context)
            }
            let output: C.Output
            do { output = try command.run(tx, context) } catch let refusal as KeptRefusal {
                try Self.auditRefusal(refusal.failure, command, arguments, tx)
                return .failure(refusal)
            }
            if let expected { try Confirmation.requireUnchanged(expected, unit.effects) }
            let bytes = try JSONCoding.encode(output)
            try Self.auditCall(command, arguments, .commit, C.verdict(on: output), tx)
            if let key = options.idempotencyKey { try Idempotency.store(key, call, bytes, tx, context) }
            return .success(
                .init(
                    answer: Answer(bytes: bytes, attachments: C.attachments(of: output)), output: output,
                    awaited: unit.awaited))
        }
        let committed = try result.get()
        guard patience > .zero, let output = committed.output, !committed.awaited.isEmpty else {
            return committed.answer
        }
        return try await settled(command, committed.answer, output, committed.awaited, options, call, context)
    }

    /// What a transaction left.
    private struct Committed<Output: Sendable>: Sendable {
        var answer: Answer
        var output: Output?
        var awaited: [ULID] = []
    }

    /// Waits for jobs, and answers what is the case then. The change is committed: nothing
    /// that goes wrong here may look as if it were not.
    private func settled<C: Command>(
        _ command: C, _ answer: Answer, _ output: C.Output, _ jobs: [ULID], _ options: CallOptions,
        _ call: CallFingerprint, _ context: Context
    ) async throws -> Answer {
        do {
            try await JobQueue.ended(jobs, within: patience, database, context)
            let after = try await database.read { try command.afterJobs(output, $0, context) }
            let bytes = try JSONCoding.encode(after)
            guard bytes != answer.bytes else { return answer }
            if let key = options.idempotencyKey {
                try await database.write { try Idempotency.replace(key, call, bytes, $0) }
            }
            return Answer(bytes: bytes, attachments: C.attachments(of: after))
        } catch {
            context.logger.warning(
                "a committed call could not wait for its jobs",
                metadata: ["operation": "\(C.name)", "error": "\(error)"])
            return answer
        }
    }

    /// The entry of a call that was refused and whose writes are kept all the same.
    private static func auditRefusal<C: Command>(
        _ failure: Failure, _ command: C, _ arguments: JSONObject, _ tx: Transaction
    ) throws {
        let isDenial = failure.code == .forbidden || failure.code == .rateLimited
        try tx.audit(
            C.action, command.subject ?? C.audience.subject(of: tx.unit.context.actor), description: C.title,
            status: isDenial ? .denied : .failed,
            metadata: [
                "arguments": recordable(arguments, hiding: C.secretInputs),
                "code": .string(failure.code.rawValue),
            ],
            error: failure.message)
    }

    /// Runs the command, keeps its output and effects, and rolls back. When it
    /// awaits confirmation, the promise is stored in a transaction of its own.
    private func preview<C: Command>(
        _ command: C, _ arguments: JSONObject, _ call: CallFingerprint, _ context: Context, mode: Context.Mode
    ) async throws -> Answer {
        var rehearsal = context
        rehearsal.mode = mode
        let (output, effects) = try await database.transaction(
            rehearsal, category: C.audience.category(of: context.actor), keeping: false
        ) { [rehearsal] tx, unit in
            do { return (try command.run(tx, rehearsal), unit.effects) } catch let refusal as KeptRefusal {
                throw refusal.failure
            }
        }
        let confirmation: Confirmation? = try await database.transaction(
            context, category: C.audience.category(of: context.actor)
        ) { tx, _ in
            try Self.auditCall(command, arguments, mode, (.success, nil), tx)
            guard mode == .awaitingConfirmation else { return nil }
            return try Confirmation.issue(
                for: call, effects: effects, question: command.confirmationQuestion, tx, context)
        }
        let bytes = try Self.encode(output, effects: effects, confirmation)
        return Answer(bytes: bytes, confirmation: confirmation)
    }

    private func stored(_ key: String, _ call: CallFingerprint, _ context: Context) async throws -> Answer? {
        try await database.write { tx in
            try Idempotency.lookUp(key, call, tx, context).map { Answer(bytes: $0, isRepeat: true) }
        }
    }

    /// The entry of the call itself; what it changed has entries of its own.
    private static func auditCall<C: Command>(
        _ command: C, _ arguments: JSONObject, _ mode: Context.Mode,
        _ verdict: (status: AuditStatus, error: String?), _ tx: Transaction
    ) throws {
        let suffix =
            switch mode {
            case .commit: ""
            case .dryRun: " (dry run)"
            case .awaitingConfirmation: " (preview, awaiting confirmation)"
            }
        try tx.audit(
            C.action, command.subject ?? C.audience.subject(of: tx.unit.context.actor),
            description: C.title + suffix,
            status: verdict.status,
            metadata: [
                "arguments": recordable(arguments, hiding: C.secretInputs), "mode": .string("\(mode)"),
            ], error: verdict.error)
    }

    /// The output object with `effects` and `confirmation` added at its end.
    private static func encode(
        _ output: some Encodable, effects: [EffectPreview], _ confirmation: Confirmation?
    ) throws -> [UInt8] {
        var bytes = try JSONCoding.encode(output)
        guard bytes.last == UInt8(ascii: "}") else {
            throw Failure(.internal, "A command's output must be an object.")
        }
        bytes.removeLast()
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        bytes += Array("\"effects\":".utf8) + (try JSONCoding.encode(effects))
        if let confirmation {
            let request = ConfirmationRequest(
                required: true, question: confirmation.question, confirmToken: confirmation.token,
                expiresAt: confirmation.expiresAt.description,
                howTo: "Nothing has been changed. Call again with the same arguments and this confirm_token.")
            bytes += Array(",\"confirmation\":".utf8) + (try JSONCoding.encode(request))
        }
        bytes.append(UInt8(ascii: "}"))
        return bytes
    }
}

extension Failure {
    /// `error` as a caller may see it; anything unexpected is logged in full.
    static func from(_ error: any Error, _ context: Context) -> Failure {
        if let failure = error as? Failure, failure.code != .internal { return failure }
        if let storage = error as? StorageError, let failure = from(storage) { return failure }
        context.logger.error("unexpected error", metadata: ["error": "\(String(reflecting: error))"])
        return Failure(
            .internal, "Something went wrong on our side; incident \(context.requestID).",
            hint: "Nothing was changed. Give the incident id to the operators.", cause: error)
    }

    private static func from(_ error: StorageError) -> Failure? {
        var failure: Failure
        switch error {
        case .busy, .poolExhausted, .connection, .closed, .timeout:
            failure = Failure(
                .unavailable, "The database did not answer in time.", hint: "Call again in a moment.",
                reason: "database_unavailable", cause: error)
            failure.retryAfter = .seconds(1)
        case .serialization:
            failure = Failure(
                .conflict, "Another call changed the same rows at the same time.", hint: "Call again.",
                reason: "concurrent_change", cause: error)
        default: return nil
        }
        return failure
    }
}
