package import JSON
import Logging
package import Storage

/// What a call gave: one encoded JSON object, and perhaps a question.
package struct Answer: Sendable {
    /// The encoded output; written once and shared by every surface.
    package var bytes: [UInt8]
    /// Nothing happened yet: calling again with the token makes it happen.
    package var confirmation: Confirmation?
    /// The answer of an earlier call with the same idempotency key.
    package var isRepeat = false
    /// What the surface says beside the output.
    package var attachments = Attachments.none
    /// Where the caller stands with its rate limit; nil where there is none.
    package var standing: RateLimiter.Standing?

    package init(
        bytes: [UInt8], confirmation: Confirmation? = nil, isRepeat: Bool = false,
        attachments: Attachments = .none
    ) {
        self.bytes = bytes
        self.confirmation = confirmation
        self.isRepeat = isRepeat
        self.attachments = attachments
    }
}

/// The only way to run an ``Operation``, from any surface.
///
/// Permission, rate limit, argument checks, confirmation, idempotency,
/// transaction, audit and error mapping exist here once and cannot be skipped.
/// A change and its audit entry commit together or not at all; a refused or
/// failed call leaves an entry of its own.
package struct Runner: Sendable {
    package let catalog: OperationCatalog
    package let database: any Database
    let limiter: RateLimiter
    let recorder: AuditRecorder
    /// How long a caller waits for jobs; nothing where nobody runs any.
    let patience: Duration
    /// The action of a call that names no operation.
    private static let unknownAction = "mcp.unknown"

    package init(
        catalog: OperationCatalog, database: any Database, limiter: RateLimiter, recorder: AuditRecorder,
        patience: Duration = .zero
    ) {
        self.patience = patience
        self.catalog = catalog
        self.database = database
        self.limiter = limiter
        self.recorder = recorder
    }

    /// Runs the operation `name` for `context.actor`.
    ///
    /// Throws nothing but ``Failure`` and `CancellationError`; an unexpected
    /// error is logged in full and becomes ``Failure/Code/internal`` with the
    /// request id as its incident id.
    package func call(_ name: String, _ arguments: JSONObject, _ context: Context) async throws -> Answer {
        guard let operation = catalog[name] else {
            throw try await recordUnknown(name, arguments, context)
        }
        do {
            return try await run(operation.type, operation, arguments, context)
        } catch let error as CancellationError {
            throw error
        } catch let refusal as KeptRefusal {
            // On record already, in the transaction that it kept.
            throw refusal.failure
        } catch {
            let failure = Failure.from(error, context)
            if isRecorded(failure, operation) {
                try await recordRefusal(failure, operation, arguments, context)
            }
            throw failure
        }
    }

    /// Whether `actor` may call `operation`; a surface asks before it commits to a status.
    package func refusal(of operation: OperationDescriptor, for actor: Actor) -> Failure? {
        operation.audience.refusal(of: actor, calling: operation.name, scope: operation.scope)
    }

    /// What people look at in vain (a lesson that is gone, a mistyped date) is no event;
    /// what they were refused is, and so is everything that operators ask for.
    private func isRecorded(_ failure: Failure, _ operation: OperationDescriptor) -> Bool {
        switch operation.audience {
        case .operators, .holders: true
        case .anyone, .users: operation.isCommand || failure.code == .forbidden || failure.code == .internal
        }
    }

    /// Whose rate limit a call counts against: the caller's, or that of the address it came from.
    private func payer(_ context: Context) -> String {
        context.actor.id == nil ? "address:\(context.ip ?? "unknown")" : context.actor.key
    }

    /// Records a refusal that a surface decided itself (a missing or bad credential).
    package func recordDenied(
        _ failure: Failure, operation name: String?, _ arguments: JSONObject = [:], _ context: Context
    ) async throws {
        let operation = name.flatMap { catalog[$0] }
        try await recordRefusal(failure, operation, arguments, context)
    }

    /// Records that something was asked for which does not exist, under the name it was asked by.
    /// - Returns: what to answer.
    package func recordUnknown(_ name: String, _ arguments: JSONObject, _ context: Context) async throws
        -> Failure
    {
        let failure = Failure(
            .notFound, "There is no operation \(quoted(name)).",
            hint: "tools/list, or instainstru call, names them all.", reason: "operation_not_found")
        try await recorder.record(unknown(name, arguments, failure, context))
        return failure
    }

    /// The same from where nothing can be awaited.
    package func recordUnknownNow(_ name: String, _ context: Context) {
        let failure = Failure(.notFound, "There is no operation \(quoted(name)).")
        recorder.recordNow(unknown(name, [:], failure, context))
    }

    private func unknown(_ name: String, _ arguments: JSONObject, _ failure: Failure, _ context: Context)
        -> AuditEntry
    {
        AuditEntry(
            context, category: .admin, action: Self.unknownAction, subject: Subject("mcp", nil),
            status: .failed,
            metadata: [
                "arguments": Self.recordable(arguments), "code": .string(failure.code.rawValue),
                "operation": .string(UntrustedText.cleaned(name, maximumCharacters: 100)),
            ], error: failure.message)
    }

    /// ``recordDenied(_:operation:_:_:)`` from where nothing can be awaited.
    package func recordDeniedNow(_ failure: Failure, operation name: String?, _ context: Context) {
        recorder.recordNow(refusal(failure, name.flatMap { catalog[$0] }, [:], context))
    }

    private func run<O: Operation>(
        _ type: O.Type, _ descriptor: OperationDescriptor, _ arguments: JSONObject, _ context: Context
    ) async throws -> Answer {
        if let refusal = refusal(of: descriptor, for: context.actor) { throw refusal }
        let payer = payer(context)
        try limiter.take(descriptor.cost, for: payer, from: descriptor.bucket, at: context.now)
        if descriptor.audience != .operators {
            try limiter.take(descriptor.cost, for: payer, from: .general, at: context.now)
        }
        var answer = try await perform(type, descriptor, arguments, context)
        answer.standing = limiter.standing(of: payer, in: descriptor.bucket, at: context.now)
        return answer
    }

    private func perform<O: Operation>(
        _ type: O.Type, _ descriptor: OperationDescriptor, _ arguments: JSONObject, _ context: Context
    ) async throws -> Answer {
        var own = arguments
        var problems: [Failure.Field] = []
        let options: CallOptions? =
            if !descriptor.isCommand {
                nil
            } else if descriptor.audience == .operators {
                CallOptions(takingFrom: &own, problems: &problems)
            } else {
                // A stranger has no name under which an answer could be kept.
                try CallOptions(
                    idempotencyKey: context.actor.id == nil || O.answersSecrets ? nil : context.idempotencyKey
                )
            }
        let operation = try InputBinder.of(type).bind(
            type, to: own,
            reserved: descriptor.audience == .operators && options != nil ? CallOptions.names : [],
            problems)
        if let query = operation as? any Query {
            return try await look(query, descriptor, own, context)
        }
        guard let command = operation as? any Command, let options else {
            throw Failure(.internal, "\(descriptor.name) is neither a Query nor a Command.")
        }
        return try await act(command, own, options, context)
    }

    private func look<Q: Query>(
        _ query: Q, _ descriptor: OperationDescriptor, _ arguments: JSONObject, _ context: Context
    ) async throws -> Answer {
        let output = try await query.run(Reader(database), context)
        if Q.isRemembered { await remember(query, output, context) }
        let answer = Answer(bytes: try JSONCoding.encode(output), attachments: Q.attachments(of: output))
        if descriptor.isRecorded, descriptor.audience.watches(context.actor) {
            let own = descriptor.audience.subject(of: context.actor)
            try await recorder.record(
                AuditEntry(
                    context, category: descriptor.audience.category(of: context.actor, isRead: true),
                    action: descriptor.action, subject: query.subject ?? own, description: descriptor.title,
                    metadata: ["arguments": Self.recordable(arguments, hiding: Q.secretInputs)]))
        }
        return answer
    }

    private func remember<Q: Query>(_ query: Q, _ output: Q.Output, _ context: Context) async {
        do {
            try await database.transaction(context, category: .user) { tx, _ in
                try query.remember(output, tx, context)
            }
        } catch {
            context.logger.warning(
                "an answer was not written down",
                metadata: ["operation": "\(Q.name)", "error": "\(String(reflecting: error))"])
        }
    }

    /// Arguments as the audit log keeps them: bounded, and redacted by the entry.
    static func recordable(_ arguments: JSONObject, hiding secrets: Set<String> = []) -> JSONValue {
        var arguments = arguments
        for name in secrets where arguments[name] != nil { arguments[name] = "[REDACTED]" }
        let value = JSONValue.object(arguments)
        return value.encoded().count <= 4_000 ? value : .string("too large to record")
    }

    private func recordRefusal(
        _ failure: Failure, _ operation: OperationDescriptor?, _ arguments: JSONObject, _ context: Context
    ) async throws {
        try await recorder.record(refusal(failure, operation, arguments, context))
    }

    private func refusal(
        _ failure: Failure, _ operation: OperationDescriptor?, _ arguments: JSONObject, _ context: Context
    ) -> AuditEntry {
        let isDenial = failure.code == .forbidden || failure.code == .unauthenticated
        let category = (operation?.audience ?? .operators).category(
            of: context.actor, isRead: operation?.isCommand == false && !isDenial)
        return AuditEntry(
            context, category: category,
            action: operation?.action ?? Self.unknownAction,
            subject: (operation?.audience ?? .operators).subject(of: context.actor),
            status: isDenial ? .denied : .failed, description: operation?.title,
            metadata: [
                "arguments": Self.recordable(arguments, hiding: operation?.secretInputs ?? []),
                "code": .string(failure.code.rawValue),
            ],
            error: failure.message)
    }
}
