import Features
import Foundation
import HTTPTypes
import Hummingbird
import JSON
import Kernel

/// The built-in Stripe over HTTP, for Stripe's own libraries and for a browser that follows its links.
///
/// It is there only where the built-in Stripe is in use, so never in production, and only for callers
/// on this machine: it moves no real money, and whoever reaches it can move all of it.
struct SandboxStripe: Sendable {
    static let prefix = "/stripe-sandbox"
    static let maximumBody = 1 << 20

    let platform: Platform

    func addRoutes(to router: Routes) {
        guard StripeAccount.of(platform.configuration)?.isBuiltIn == true else { return }
        var path = Self.prefix + "/v1"
        for part in ["resource", "id", "verb", "more"] {
            path += "/:\(part)"
            let handler: Routes.Handler = { try await answer($0, $1) }
            router.on(path, [.get: handler, .post: handler, .delete: handler])
        }
        router.on(Self.prefix + "/visit/:id", [.get: { try await visit($0, $1) }])
        router.on(
            Self.prefix + "/express/:id",
            [
                .get: { request, app in
                    try refuseStrangers(request, app)
                    return .text("The built-in Stripe has no dashboard; ask for the account over its API.\n")
                }
            ])
    }

    private func refuseStrangers(_ request: Request, _ app: AppContext) throws {
        guard app.isLocal(request) else {
            throw HTTPRefusal(
                status: .forbidden, detail: "The built-in Stripe answers callers on this machine alone.")
        }
    }

    private func sandbox(_ request: Request, _ app: AppContext) -> StripeSandbox {
        StripeSandbox(
            database: platform.database,
            context: platform.context(request, app, .system("stripe_sandbox"), surface: .rest))
    }

    private func answer(_ request: Request, _ app: AppContext) async throws -> Response {
        try refuseStrangers(request, app)
        // A page in the browser cannot send this header without being asked first.
        guard request.headers[.authorization]?.hasPrefix("Bearer sk_") == true else {
            return response(
                StripeAnswer(
                    401,
                    [
                        "error": [
                            "type": "invalid_request_error",
                            "message": "You did not provide an API key; any that begins with sk_ will do.",
                        ]
                    ]), app)
        }
        return response(try await sandbox(request, app).answer(try await call(request)), app)
    }

    private func call(_ request: Request) async throws -> StripeCall {
        let method = StripeCall.Method(rawValue: request.method.rawValue) ?? .get
        let body = try await request.bytes(upTo: Self.maximumBody)
        let text = method == .post ? String(decoding: body, as: UTF8.self) : request.uri.query ?? ""
        let pairs = try FormEncoding.parse(text).flatMap { name, values in values.map { (name, $0) } }
        let path = request.uri.path.dropFirst(Self.prefix.count + "/v1/".count)
        return StripeCall(
            method, path.removingPercentEncoding ?? String(path), StripeForm(pairs),
            key: request.headers[.idempotencyKey], account: request.headers[.stripeAccount])
    }

    private func response(_ answer: StripeAnswer, _ app: AppContext) -> Response {
        var response = Response.json(answer.body.encoded(), status: .init(code: answer.status))
        response.headers[.stripeRequestID] = "req_\(app.requestID)"
        if answer.isReplayed { response.headers[.stripeReplayed] = "true" }
        if let again = answer.shouldRetry { response.headers[.stripeShouldRetry] = String(again) }
        return response
    }

    /// What a person does behind an account link or an identity link, at once and to the end.
    private func visit(_ request: Request, _ app: AppContext) async throws -> Response {
        try refuseStrangers(request, app)
        let (id, sandbox) = (app.parameters.get("id") ?? "", sandbox(request, app))
        if id.hasPrefix("vs_") {
            try await sandbox.verifyIdentity(id)
        } else {
            try await sandbox.completeOnboarding(id)
        }
        let back = try FormEncoding.parse(request.uri.query ?? "").first { $0.name == "return_url" }?.values
            .first
        guard let back else { return .text("Done.\n") }
        return Response(status: .seeOther, headers: [.location: back])
    }
}
