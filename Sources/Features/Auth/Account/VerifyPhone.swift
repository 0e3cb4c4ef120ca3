import Kernel
import Storage

/// What calls about a telephone number answer.
struct PhoneView: Codable, Sendable {
    var phoneNumber: String?
    var verified: Bool
}

/// One's telephone number.
struct ShowPhone: Query {
    static let name = "account_phone_get"
    static let title = "Show one's telephone number"
    static let summary = "One's telephone number, and whether it is verified."
    static let audience = Audience.users
    static let route = Route.get("account/phone")
    typealias Output = PhoneView

    func run(_ db: Reader, _ context: Context) async throws -> PhoneView {
        let id = try context.userID()
        let user = try await db.read { try User.find(id, $0) }
        return PhoneView(phoneNumber: user?.phone, verified: user?.isPhoneVerified ?? false)
    }
}

/// Changes one's telephone number, which is then no longer verified.
struct ChangePhone: Command {
    static let name = "account_phone_update"
    static let title = "Change one's telephone number"
    static let summary = "Change one's telephone number; it has to be verified again."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.manageOwnProfile)
    static let action = "user.edit_phone"
    static let route = Route.put("account/phone")
    typealias Output = PhoneView

    @Input("The number: 10 digits, or up to 14 with a country code.", .length(10...30)) var phoneNumber:
        String

    func run(_ tx: Transaction, _ context: Context) throws -> PhoneView {
        guard let number = PhoneNumber.normalized(phoneNumber) else {
            throw Failure.invalid([.init("phone_number", "must have 10 to 14 digits")])
        }
        guard let user = try User.lock(try context.userID(), tx) else {
            throw Failure(.unauthenticated, "There is no such user.")
        }
        guard user.phone != number else {
            return PhoneView(phoneNumber: number, verified: user.isPhoneVerified)
        }
        try user.setPhone(number, isVerified: false, tx, context)
        try PhoneCode.remove(user.id, tx)
        return PhoneView(phoneNumber: number, verified: false)
    }
}

/// Sends a code to one's telephone.
struct VerifyPhone: Command {
    static let name = "account_phone_verify"
    static let title = "Verify one's telephone number"
    static let summary = "Send a code to one's telephone by SMS; good for 10 minutes."
    static let effect = Effect.additive
    static let audience = Audience.holders(.manageOwnProfile)
    static let action = "user.verify_phone"
    static let route = Route.post("account/phone/verify")
    static let bucket = RateBucket.authBootstrap

    struct Output: Codable, Sendable {
        var sent = true
        var expiresAt: String
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let id = try context.userID()
        guard let user = try User.lock(id, tx), let phone = user.phone else {
            throw Failure(
                .conflict, "There is no telephone number to verify.", hint: "PUT account/phone sets one.",
                reason: "phone_missing")
        }
        guard !user.isPhoneVerified else {
            throw Failure(.conflict, "The number is verified already.", reason: "phone_verified")
        }
        try RateWindow.phoneCode(of: id).take(tx, now: context.now)
        let code = try PhoneCode.make(for: id, phone: phone, tx, context)
        try tx.send(
            .sms(
                to: phone, text: "\(code) is your InstaInstru code. It is good for 10 minutes.",
                event: "user.phone_code", about: id.description, key: "user/\(id)/phone/\(context.newID())"))
        return Output(expiresAt: (context.now + PhoneCode.lifetime).description)
    }
}

/// Takes the code that was sent.
struct ConfirmPhone: Command {
    static let name = "account_phone_verify_confirm"
    static let title = "Confirm one's telephone number"
    static let summary = "Confirm one's telephone number with the code that was sent to it."
    static let effect = Effect.reversible
    static let audience = Audience.holders(.manageOwnProfile)
    static let action = "user.confirm_phone"
    static let route = Route.post("account/phone/verify/confirm")
    typealias Output = PhoneView
    static let bucket = RateBucket.authBootstrap
    static let secretInputs: Set = ["code"]

    @Input("The six digits.", .length(6...6)) var code: String

    func run(_ tx: Transaction, _ context: Context) throws -> PhoneView {
        let id = try context.userID()
        guard let user = try User.lock(id, tx), let held = try PhoneCode.hold(id, tx, now: context.now),
            held.phone == user.phone
        else {
            throw Failure(
                .conflict, "No code is waiting, or it was tried too often.",
                hint: "POST account/phone/verify sends a new one.", reason: "phone_code_missing")
        }
        guard try held.matches(code, of: id, context) else {
            try PhoneCode.countAttempt(id, tx)
            var failure = Failure.invalid([.init("code", "is not the code that was sent")])
            failure.reason = "invalid_code"
            throw KeptRefusal(failure)
        }
        try PhoneCode.remove(id, tx)
        try user.setPhone(held.phone, isVerified: true, tx, context)
        return PhoneView(phoneNumber: held.phone, verified: true)
    }
}
