import Kernel
import Storage

/// One try with an address and a password: domain specification §4.2.
///
/// The slow part happens before the transaction, once per try whether the user exists
/// or not. The transaction takes tries of one address one after the other, and looks
/// again at everything that may have changed meanwhile.
struct SignInAttempt: Sendable {
    /// What the second step needs to know.
    private enum Next: Sendable {
        case session(Credentials, device: ULID?)
        case challenge(String)
        case refused
        /// The captcha was not solved, or nobody can say.
        case unsolved(Failure)
        case blocked(until: Instant)
    }

    let email: String
    var subject: Subject { user?.subject ?? Subject("user", nil) }
    private let user: User?
    /// The hash that the password was compared with, if it was right.
    private let matched: PasswordHash?
    /// With today's parameters, if those of the stored one are older.
    private let rehashed: PasswordHash?
    private let next: Next

    static func judge(
        email text: String, password: String, captcha: String?, device: String?, _ db: Reader,
        _ context: Context
    ) async throws -> SignInAttempt {
        let email = User.normalized(email: text)
        let (user, failures, blocked) = try await known(email, db, context)
        if let blocked {
            // Locked out, so nothing is compared; the transaction puts it on record.
            return SignInAttempt(
                email: email, user: user, matched: nil, rehashed: nil, next: .blocked(until: blocked))
        }
        if failures >= SignInFailures.captchaThreshold,
            let verifier = CaptchaVerifier(context.configuration)
        {
            do { try await verifier.require(captcha, context) } catch let failure as Failure {
                return SignInAttempt(
                    email: email, user: user, matched: nil, rehashed: nil, next: .unsolved(failure))
            }
        }
        let stored = user.map { PasswordHash(stored: $0.hashedPassword) } ?? .nobody
        guard try await stored.matches(String(password.prefix(PasswordRules.length.upperBound))),
            password.unicodeScalars.count <= PasswordRules.length.upperBound, let user
        else {
            return SignInAttempt(email: email, user: user, matched: nil, rehashed: nil, next: .refused)
        }
        let rehashed = stored.needsRehash ? try await PasswordHash.make(password) : nil
        return SignInAttempt(
            email: email, user: user, matched: stored, rehashed: rehashed,
            next: try await next(user, device, db, context))
    }

    /// Who it is, how often it failed, and until when the address or the caller is locked out.
    private static func known(_ email: String, _ db: Reader, _ context: Context) async throws -> (
        User?, Int, Instant?
    ) {
        let now = context.now
        let (user, row, blocked) = try await db.read { db in
            let row = try SignInFailures.find(email, db)
            let blocked = [
                try RateWindow.signIn(ip: context.ip).fullUntil(db, now: now),
                try SignInFailures.blocked(email, row, db, now: now),
            ]
            return (try User.find(email: email, db), row, blocked.compactMap { $0 }.max())
        }
        return (user, row?.count(at: now) ?? 0, blocked)
    }

    private static func next(
        _ user: User, _ device: String?, _ db: Reader, _ context: Context
    ) async throws -> Next {
        let (isOn, trusted) = try await db.read { db in
            (
                try TwoFactor.find(user.id, db) != nil,
                try device.flatMap { try TrustedDevice.find($0, of: user.id, db, now: context.now) }
            )
        }
        if isOn, trusted == nil {
            let claims = ChallengeToken(user: user.id, id: context.newID(), at: context.now)
            let keys = try await TokenKeys(context.environment.secrets, purpose: ChallengeToken.purpose)
            return .challenge(try await keys.sign(claims))
        }
        return .session(try await Credentials.make(for: user.id, context), device: isOn ? trusted?.id : nil)
    }

    /// Signs in, or counts the failure and refuses.
    func finish(guest: ULID?, _ tx: Transaction, _ context: Context) throws -> SignInResult {
        if case .blocked(let end) = next { throw KeptRefusal(Self.lockedOut(until: end, context.now)) }
        try RateWindow.signIn(ip: context.ip).take(tx, now: context.now)
        if case .unsolved(let failure) = next { throw KeptRefusal(failure) }
        let held = try SignInFailures.hold(email, tx, context)
        if let blocked = try SignInFailures.blocked(email, held, tx, now: context.now) {
            throw KeptRefusal(Self.lockedOut(until: blocked, context.now))
        }
        let present = try user.flatMap { try User.lock($0.id, tx) }
        guard let matched, let present, present.hashedPassword == matched.text else {
            try SignInFailures.add(held, email, tx, context)
            throw KeptRefusal(Self.wrong)
        }
        guard present.canSignIn else { throw KeptRefusal(Self.wrong) }
        if let rehashed { try present.rehash(rehashed.text, tx) }
        switch next {
        case .refused, .unsolved, .blocked: throw Self.wrong
        case .challenge(let token):
            // The failures stay until the second factor is right, too.
            return SignInResult(challenge: token)
        case .session(let credentials, let device):
            // Two-factor sign-in may have been turned on since it was looked at.
            if device == nil, try TwoFactor.find(present.id, tx) != nil { throw Self.changed }
            if let device { try TrustedDevice.touch(device, tx, now: context.now) }
            try Self.complete(present, credentials, guest: guest, tx, context)
            return SignInResult(credentials, at: context.now)
        }
    }

    /// What every way of signing in ends in.
    static func complete(
        _ user: User, _ credentials: Credentials, guest: ULID?, _ tx: Transaction, _ context: Context
    ) throws {
        try SignInFailures.clear(user.email, tx)
        try UserSession.begin(credentials, tx, context)
        try user.signedIn(tx, context)
        if let guest { try GuestSession.convert(guest, to: user.id, tx, context) }
        try tx.unit.become(user.actor(session: credentials.session, tx))
    }

    static func lockedOut(until end: Instant, _ now: Instant) -> Failure {
        RateWindow.refusal(until: end, now: now, reason: "locked_out")
    }

    /// The same for an unknown address, a wrong password and an account that is closed.
    static var wrong: Failure {
        Failure(
            .unauthenticated, "The e-mail address or the password is wrong.",
            hint: "POST password-reset/request if you have forgotten it.", reason: "invalid_credentials")
    }

    private static var changed: Failure {
        Failure(
            .conflict, "The account was changed at this moment.", hint: "Sign in again.", reason: "try_again")
    }
}
