package import Kernel
package import Storage

/// Proof that whoever is signed in is the person still: their password or a second
/// factor, asked for by what would hurt most in the hands of somebody else.
///
/// ``judge(password:code:field:_:_:)`` does the slow part in `prepare`;
/// ``require(_:_:)`` holds in the transaction. Wrong proofs are counted for all
/// sensitive actions together.
package struct StepUp: Sendable {
    private enum Proof {
        case password(PasswordHash)
        case factor(SecondFactor)
        case none
    }

    package let user: ULID
    package var subject: Subject { Subject("user", user.description) }
    private let proof: Proof
    /// What is named when the proof is wrong.
    private let field: String

    /// - Throws: ``Kernel/Failure/Code/invalidInput`` when neither is given,
    ///   ``Kernel/Failure/Code/rateLimited`` after too many wrong ones.
    package static func judge(
        password: String?, code: String? = nil, field: String = "current_password", _ db: Reader,
        _ context: Context
    ) async throws -> StepUp {
        let id = try context.userID()
        guard password != nil || code != nil else { throw Failure.invalid([.init(field, "is required")]) }
        let (user, factor) = try await db.read { db in
            try RateWindow.proof(of: id).requireRoom(db, now: context.now)
            return (try User.find(id, db), try TwoFactor.find(id, db))
        }
        if let password, let stored = user?.hashedPassword {
            let hash = PasswordHash(stored: stored)
            let isRight = try await hash.matches(password)
            return StepUp(user: id, proof: isRight ? .password(hash) : .none, field: field)
        }
        guard let code, let factor else { return StepUp(user: id, proof: .none, field: "code") }
        let judged = try await SecondFactor.judge(code, of: factor, db, context)
        return StepUp(user: id, proof: .factor(judged), field: "code")
    }

    /// Whether more work before the transaction may be worth it.
    package var isPlausible: Bool {
        switch proof {
        case .none, .factor(.wrong): false
        case .password, .factor: true
        }
    }

    /// Judges proofs of one person one after the other, so that a hundred at once are no
    /// more guesses than five.
    ///
    /// - Throws: ``Kernel/KeptRefusal`` with the count of wrong ones,
    ///   ``Kernel/Failure/Code/rateLimited`` after too many.
    package func require(_ tx: Transaction, _ context: Context) throws {
        let person = try User.lock(user, tx)
        let window = RateWindow.proof(of: user)
        try window.requireRoom(tx, now: context.now)
        guard try !holds(for: person, tx, context) else { return try window.clear(tx) }
        try window.take(tx, now: context.now)
        var failure = Failure.invalid([.init(field, "is not right")])
        failure.reason = "step_up_failed"
        throw KeptRefusal(failure)
    }

    private func holds(for person: User?, _ tx: Transaction, _ context: Context) throws -> Bool {
        switch proof {
        case .none: false
        // The password may have been changed since it was compared.
        case .password(let hash): person?.hashedPassword == hash.text
        case .factor(let factor): try factor.use(of: user, tx, context)
        }
    }
}
