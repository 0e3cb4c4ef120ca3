import HTTPTypes
import Hummingbird
import Kernel
import Logging

/// The outermost layer: request ids, errors as problem documents, metrics and
/// one log line per request. Nothing below it answers a 500 by accident.
struct Edge<Inner: HTTPResponder>: HTTPResponder where Inner.Context == AppContext {
    let inner: Inner
    let platform: Platform
    let paths: KnownPaths

    func respond(to request: Request, context: AppContext) async throws -> Response {
        var context = context
        context.requestID = requestID(request)
        context.receivedAt = .now
        var response: Response
        do { response = try await inner.respond(to: request, context: context) } catch {
            response = answer(error, request, context)
        }
        // Hummingbird answers an unmatched path itself, under this name and without a body.
        let isUnmatched = context.endpointPath == nil || context.endpointPath == "NotFound"
        if isUnmatched, response.status == .notFound { response = await unmatched(request, context) }
        response.headers[.xRequestID] = context.requestID
        protect(&response)
        let route = isUnmatched ? "unmatched" : context.endpointPath ?? "unmatched"
        let duration = ContinuousClock.now - context.receivedAt
        platform.metrics.request(
            method: request.method.rawValue, route: route, status: response.status.code, duration)
        platform.logger.debug(
            "request",
            metadata: [
                "request_id": "\(context.requestID)", "method": "\(request.method.rawValue)",
                "route": "\(route)",
                "status": "\(response.status.code)", "ms": "\(Int(duration / .milliseconds(1)))",
            ])
        return response
    }

    /// Answers are for programs: nothing in them may run, be framed or be kept by a cache in between.
    private func protect(_ response: inout Response) {
        response.headers[.xContentTypeOptions] = "nosniff"
        response.headers[.xFrameOptions] = "DENY"
        response.headers[.referrerPolicy] = "no-referrer"
        response.headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        if response.headers[.cacheControl] == nil { response.headers[.cacheControl] = "no-store" }
        if platform.configuration.environmentName == "production" {
            response.headers[.strictTransportSecurity] = "max-age=31536000; includeSubDomains"
        }
    }

    private func unmatched(_ request: Request, _ context: AppContext) async -> Response {
        let allow = paths.allow(request.uri.path)
        if allow == nil, request.uri.path.hasPrefix(RESTSurface.operatorsPrefix) {
            do { try await RESTSurface(platform: platform).recordUnknown(request, context) } catch {
                return answer(error, request, context)
            }
        }
        var response = Problem.response(
            status: allow == nil ? .notFound : .methodNotAllowed,
            detail: allow.map { "This path answers \($0)." } ?? "There is nothing at this path.",
            requestID: context.requestID, path: request.uri.path)
        if let allow { response.headers[.allow] = allow }
        return response
    }

    /// The caller's own id when it is a plain token, otherwise a new one.
    private func requestID(_ request: Request) -> String {
        if let given = request.headers[.xRequestID], (8...64).contains(given.utf8.count),
            given.utf8.allSatisfy({ Self.isTokenByte($0) })
        {
            return given
        }
        return platform.environment.ids.next(at: platform.environment.now()).description
    }

    private static func isTokenByte(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }

    private func answer(_ error: any Error, _ request: Request, _ context: AppContext) -> Response {
        let path = request.uri.path
        switch error {
        case let failure as Failure:
            return Problem.response(failure, requestID: context.requestID, path: path)
        case let refusal as HTTPRefusal:
            return Problem.response(
                status: refusal.status, detail: refusal.detail, requestID: context.requestID, path: path)
        case let error as HTTPError:
            let detail =
                error.body
                ?? (error.status == .notFound ? "There is nothing at this path." : error.status.reasonPhrase)
            return Problem.response(
                status: error.status, detail: detail, requestID: context.requestID, path: path)
        default:
            platform.logger.error(
                "unexpected error",
                metadata: ["request_id": "\(context.requestID)", "error": "\(String(reflecting: error))"])
            let failure = Failure(
                .internal, "Something went wrong on our side; incident \(context.requestID).")
            return Problem.response(failure, requestID: context.requestID, path: path)
        }
    }
}
