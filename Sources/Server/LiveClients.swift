package import AsyncHTTPClient
package import Kernel
import NIOCore
import NIOHTTP1

extension Clients {
    /// Follows no redirect, which could lead credentials elsewhere, and says
    /// at once that nobody listens: the library's own client would try until
    /// the time is up. Lives as long as the process.
    package static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration.singletonConfiguration
        configuration.redirectConfiguration = .disallow
        configuration.connectionPool.retryConnectionEstablishment = false
        return HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: configuration)
    }()

    /// The outside world over HTTP, with a time-out and a limit on what is read.
    package static func live(_ http: HTTPClient = http) -> Clients {
        Clients(send: { try await answer(http, $0) })
    }

    /// The client's own deadline ends with the head of the answer; here it covers the body too.
    private static func answer(_ http: HTTPClient, _ request: HTTPRequest) async throws -> HTTPAnswer {
        try await withThrowingTaskGroup(of: HTTPAnswer.self) { group in
            defer { group.cancelAll() }
            group.addTask { try await execute(http, request) }
            group.addTask {
                try await ContinuousClock().sleep(for: request.timeout)
                throw HTTPProblem.timedOut
            }
            guard let first = try await group.next() else { throw HTTPProblem.unreachable }
            return first
        }
    }

    private static func execute(_ http: HTTPClient, _ request: HTTPRequest) async throws -> HTTPAnswer {
        var outgoing = HTTPClientRequest(url: request.url)
        outgoing.method = HTTPMethod(rawValue: request.method.rawValue)
        for (name, value) in request.headers { outgoing.headers.add(name: name, value: value) }
        if !request.body.isEmpty { outgoing.body = .bytes(request.body) }
        do {
            let response = try await http.execute(outgoing, timeout: TimeAmount(request.timeout))
            let bytes = try await response.body.collect(upTo: request.maximumBytes)
            return HTTPAnswer(
                status: Int(response.status.code), headers: response.headers.map { ($0.name, $0.value) },
                body: Array(bytes.readableBytesView))
        } catch is CancellationError {
            throw CancellationError()
        } catch is NIOTooManyBytesError {
            throw HTTPProblem.tooLarge
        } catch let error as HTTPClientError {
            throw problem(error)
        } catch {
            throw HTTPProblem.unreachable
        }
    }

    private static func problem(_ error: HTTPClientError) -> any Error {
        switch error {
        case .cancelled: CancellationError()
        case .deadlineExceeded, .connectTimeout, .readTimeout, .writeTimeout, .requestStreamCancelled:
            HTTPProblem.timedOut
        case .invalidURL, .emptyHost, .emptyScheme: HTTPProblem.invalidURL
        default: HTTPProblem.unreachable
        }
    }
}
