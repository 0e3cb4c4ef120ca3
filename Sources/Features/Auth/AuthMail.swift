import Kernel
import Storage

/// The e-mails about somebody's account. They name no password and no code; the link
/// of a reset is erased from the outbox once it is sent.
enum AuthMail {
    /// For whoever owns the address that somebody tried to register again.
    static func registeredAgain(_ user: User, _ context: Context) -> OutgoingMessage {
        // Once a day at most, however often somebody tries.
        let day = context.now.microseconds / 86_400_000_000
        return .email(
            to: user.email, subject: "You already have an account",
            text: """
                Hello \(user.firstName),

                somebody tried to register with this address, which has an account already. If it was you, \
                sign in, or reset your password: \(link("login", context))

                If it was not you, there is nothing to do.
                """, event: "user.registered_again", about: user.id.description,
            key: "user/\(user.id)/registered-again/\(day)")
    }

    static func welcome(_ user: User, _ context: Context) -> OutgoingMessage {
        .email(
            to: user.email, subject: "Welcome to InstaInstru",
            text: """
                Hello \(user.firstName),

                your account is ready: \(link("login", context))
                """, event: "user.welcome", about: user.id.description, key: "user/\(user.id)/welcome")
    }

    static func passwordReset(_ user: User, token: String, id: ULID, _ context: Context) -> OutgoingMessage {
        .email(
            to: user.email, subject: "Reset your password",
            text: """
                Hello \(user.firstName),

                choose a new password here within an hour: \
                \(link("reset-password?token=\(token)", context))

                If you did not ask for this, there is nothing to do.
                """, event: "user.password_reset_request", about: user.id.description,
            key: "user/\(user.id)/password-reset/\(id)")
    }

    static func passwordChanged(_ user: User, _ context: Context) -> OutgoingMessage {
        .email(
            to: user.email, subject: "Your password was changed",
            text: """
                Hello \(user.firstName),

                your password was changed, and everywhere else you are signed out. If it was not you, \
                reset it at once: \(link("forgot-password", context))
                """, event: "user.password_changed", about: user.id.description,
            key: "user/\(user.id)/password-changed/\(context.newID())")
    }

    static func twoFactorChanged(_ user: User, isOn: Bool, _ context: Context) -> OutgoingMessage {
        .email(
            to: user.email, subject: "Two-factor sign-in is \(isOn ? "on" : "off")",
            text: """
                Hello \(user.firstName),

                two-factor sign-in of your account was turned \(isOn ? "on" : "off"). If it was not you, \
                reset your password at once: \(link("forgot-password", context))
                """, event: "user.2fa_changed", about: user.id.description,
            key: "user/\(user.id)/2fa/\(context.newID())")
    }

    private static func link(_ path: String, _ context: Context) -> String {
        let base = context.configuration.publicURL ?? "http://127.0.0.1:\(context.configuration.port)"
        return base.hasSuffix("/") ? base + path : base + "/" + path
    }
}
