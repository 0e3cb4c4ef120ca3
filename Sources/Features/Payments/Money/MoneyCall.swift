import JSON
package import Kernel
import Storage

/// One call of a plan, about to be sent.
package struct MoneyCall: Sendable {
    package var planID: ULID
    package var position: Int
    package var kind: MoneyStepKind
    package var key: String
    package var request: PaymentRequest
    /// It may have been sent before: the provider is asked first.
    package var isAgain: Bool
}

/// What comes next in a plan.
package enum MoneyTurn: Sendable {
    case call(MoneyCall)
    /// Somebody else is at it, or the provider wants to be asked later.
    case wait(Duration)
    case over
}

extension MoneyPlan {
    /// Takes the plan and its next call; what it needs is read and written down here.
    static func begin(_ id: ULID, runner: String, _ tx: Transaction, _ context: Context) throws -> MoneyTurn {
        guard let found = try find(id, tx), var booking = try Booking.lock(found.bookingID, tx),
            let plan = try find(id, tx), plan.state == .running
        else { return .over }
        if let until = plan.leasedUntil, until > context.now {
            let holder: String? = try tx.value("SELECT runner FROM money_plans WHERE id = \(id)")
            guard holder == runner else { return .wait(until - context.now) }
        }
        return try plan.next(&booking, runner: runner, tx, context)
    }

    /// Marks the next call as sent, or ends the plan when there is none.
    func next(_ booking: inout Booking, runner: String, _ tx: Transaction, _ context: Context) throws
        -> MoneyTurn
    {
        let row = try tx.rows(
            """
            SELECT position, kind, key, amount_cents, request, state FROM money_steps WHERE plan_id = \(id)
            AND state IN ('planned', 'sent', 'unknown') ORDER BY position LIMIT 1
            """
        ).first
        guard let row else {
            try end(&booking, tx, context)
            return .over
        }
        let (position, kind): (Int, MoneyStepKind) = (try row.get(at: 0), try row.get(at: 1))
        let key: String = try row.get(at: 2)
        let state: String = try row.get(at: 5)
        let request: PaymentRequest
        if let stored: String = try row.get(at: 4) {
            request = try JSONCoding.decode(PaymentRequest.self, from: Array(stored.utf8))
        } else {
            switch try prepare(kind, cents: try row.get(at: 3), &booking, tx, context) {
            case .send(let made): request = made
            case .skip:
                try tx.run(
                    """
                    UPDATE money_steps SET state = 'done', finished_at = \(context.now)
                    WHERE plan_id = \(id) AND position = \(position)
                    """)
                return try next(&booking, runner: runner, tx, context)
            case .impossible(let problem):
                try fail(kind, position, problem, &booking, tx, context)
                return .over
            }
        }
        let text = String(decoding: try JSONCoding.encode(request), as: UTF8.self)
        try tx.run(
            """
            UPDATE money_steps SET state = 'sent', request = \(text), attempts = attempts + 1, \
            sent_at = \(context.now) WHERE plan_id = \(id) AND position = \(position)
            """)
        try tx.run(
            """
            UPDATE money_plans SET runner = \(runner), leased_until = \(context.now + Self.lease)
            WHERE id = \(id)
            """)
        return .call(
            MoneyCall(
                planID: id, position: position, kind: kind, key: key, request: request,
                isAgain: state != "planned"))
    }

    /// Writes down what became of a call, with everything that follows from it, and
    /// takes the next one.
    static func record(
        _ call: MoneyCall, _ outcome: PaymentOutcome<PaymentObject>, runner: String, _ tx: Transaction,
        _ context: Context
    ) throws -> MoneyTurn {
        guard let found = try find(call.planID, tx), var booking = try Booking.lock(found.bookingID, tx),
            let plan = try find(call.planID, tx), plan.state == .running,
            // Whoever took over has written it down already.
            try tx.value(
                """
                SELECT 1 FROM money_steps WHERE plan_id = \(call.planID) AND position = \(call.position)
                AND state IN ('sent', 'unknown')
                """, as: Int.self) != nil
        else { return .over }
        switch outcome {
        case .done(let object):
            try tx.run(
                """
                UPDATE money_steps SET state = 'done', provider_id = \(object.id), error = NULL, \
                finished_at = \(context.now) WHERE plan_id = \(plan.id) AND position = \(call.position)
                """)
            try plan.apply(call, object, &booking, tx, context)
            return try plan.next(&booking, runner: runner, tx, context)
        case .refused(let problem):
            try plan.fail(call.kind, call.position, problem, &booking, tx, context)
            return .over
        case .busy(let wait):
            try plan.pause(call, "the provider is busy", tx)
            return .wait(wait)
        case .unknown(let reason):
            try plan.pause(call, reason, tx)
            try tx.note(
                .stepUnknown, booking.id, source: call.key,
                ["step": .string(call.kind.rawValue), "key": .string(call.key)], error: reason)
            return .wait(unknownWait)
        }
    }

    private static let unknownWait = Duration.seconds(20)

    /// The outcome is not known; the next attempt asks.
    private func pause(_ call: MoneyCall, _ reason: String, _ tx: Transaction) throws {
        try tx.run(
            """
            UPDATE money_steps SET state = 'unknown', error = \(reason)
            WHERE plan_id = \(id) AND position = \(call.position)
            """)
        try tx.run("UPDATE money_plans SET leased_until = NULL WHERE id = \(id)")
    }

    /// Writes that the plan is over.
    func close(_ state: State, _ tx: Transaction, _ context: Context) throws {
        try tx.run(
            """
            UPDATE money_plans SET state = \(state), leased_until = NULL, finished_at = \(context.now)
            WHERE id = \(id)
            """)
    }
}
