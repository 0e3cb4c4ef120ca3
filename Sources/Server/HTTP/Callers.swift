import HTTPTypes
import Hummingbird
import JSON
import Kernel

extension Platform {
    /// Who calls a REST route: a program's token or a person's on the operators'
    /// routes, a person (by header or cookie) or a guest elsewhere.
    ///
    /// A bad credential is refused, and on record as `denied`, unless the operation
    /// is for anyone: an expired cookie must not keep anybody from signing in, and a
    /// cookie without its page's token makes nobody more than a guest.
    func caller(of operation: OperationDescriptor, _ request: Request, _ app: AppContext) async throws
        -> Actor
    {
        guard operation.audience != .operators else {
            return try await authenticate(request, app, surface: .rest, operation: operation.name)
        }
        do {
            if let header = request.headers[.authorization], !header.isEmpty {
                return try await bearer(header)
            }
            guard let token = cookies.accessToken(request) else { return .guest }
            let actor = try await person(token, environment.now())
            try requireOwnPage(request, actor)
            return actor
        } catch let failure as Failure where [.unauthenticated, .forbidden].contains(failure.code) {
            if operation.audience == .anyone { return .guest }
            try await runner.recordDenied(
                failure, operation: operation.name, [:], context(request, app, .guest, surface: .rest))
            throw failure
        }
    }

    /// The actor of a request to the operators' surfaces, or a refusal that is on record as `denied`.
    func authenticate(_ request: Request, _ app: AppContext, surface: Surface, operation: String?)
        async throws -> Actor
    {
        do {
            return try await bearer(request.headers[.authorization])
        } catch let failure as Failure where failure.code == .unauthenticated {
            try await runner.recordDenied(
                failure, operation: operation, [:], context(request, app, .anonymous, surface: surface))
            throw failure
        }
    }

    /// A person's access token looks like a JWT (three parts); anything else is a program's.
    private func bearer(_ header: String?) async throws -> Actor {
        let now = environment.now()
        let parts = header?.split(separator: " ", maxSplits: 1) ?? []
        if parts.count == 2, parts[0].lowercased() == "bearer", parts[1].split(separator: ".").count == 3 {
            return try await person(String(parts[1]), now)
        }
        return try await authenticator.actor(authorization: header, at: now)
    }

    /// Whether the call brings the token that only pages of that session know.
    func isOwnPage(_ request: Request, session: String) -> Bool {
        request.headers[.xCSRFToken].map { Secrets.isEqual($0, keys.pageToken(session: session)) } ?? false
    }

    /// A browser sends cookies with any request to us, whoever's page it comes from;
    /// what changes something must show that it comes from ours.
    private func requireOwnPage(_ request: Request, _ actor: Actor) throws {
        guard ![.get, .head].contains(request.method) else { return }
        guard isOwnPage(request, session: actor.sessionID ?? "") else {
            throw Failure(
                .forbidden, "A call with cookies that changes something needs the header X-CSRF-Token.",
                hint: "Send the value of the cookie csrf_token, or use 'Authorization: Bearer'.",
                reason: "csrf_token_missing")
        }
    }
}
