import JSON
import Kernel

/// Asks Cloudflare Turnstile whether a captcha was solved (`POST siteverify`,
/// developers.cloudflare.com/turnstile/get-started/server-side-validation).
struct CaptchaVerifier: Sendable {
    private static let url = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
    /// Longer than any response of theirs.
    private static let maximumToken = 2_048
    private static let patience = Duration.seconds(5)

    private let secret: String

    /// Nil when no captcha is asked for.
    init?(_ configuration: Configuration) {
        guard let secret = configuration.turnstileSecret else { return nil }
        self.secret = secret
    }

    /// - Throws: ``Kernel/Failure/Code/preconditionRequired`` without a solved captcha,
    ///   ``Kernel/Failure/Code/unavailable`` when nobody can say.
    func require(_ token: String?, _ context: Context) async throws {
        guard let token, !token.isEmpty, token.utf8.count <= Self.maximumToken else { throw Self.required }
        var body: JSONObject = ["secret": .string(secret), "response": .string(token)]
        if let ip = context.ip { body["remoteip"] = .string(ip) }
        let request = Clients.HTTPRequest(
            .post, Self.url, headers: [("Content-Type", "application/json")],
            body: JSONValue.object(body).encoded(), timeout: Self.patience, maximumBytes: 64 << 10)
        guard let answer = try? await context.clients.send(request), answer.status == 200,
            let isSolved = (try? JSONValue(parsing: answer.body))?["success"]?.boolValue
        else {
            throw Failure(
                .unavailable, "The captcha cannot be checked at this moment.",
                hint: "Try again in a moment.", reason: "captcha_unavailable")
        }
        guard isSolved else { throw Self.required }
    }

    private static var required: Failure {
        Failure(
            .preconditionRequired, "This address has had several failed sign-ins.",
            hint: "Solve the captcha and send its token as captcha_token.", reason: "captcha_required")
    }
}
