import FoundationEssentials
import JSON
package import Kernel

/// Asks Flower's REST API, and says in words why there was no answer.
package struct FlowerClient: Sendable {
    private let address: ServiceURL
    private let authorization: String?
    private let clients: Clients

    /// For questions that Flower answers from memory, and the contract's limit for all.
    static let patience = Duration.seconds(10)
    /// Flower's answers carry the configuration of every worker and whole tracebacks.
    private static let maximumBytes = 16 << 20
    private static let maximumDepth = 64

    /// - Parameter user: with `password`, instead of those in the address.
    package init(_ address: ServiceURL, user: String? = nil, password: String? = nil, clients: Clients) {
        self.address = address
        self.clients = clients
        let credentials = "\(user ?? address.user ?? ""):\(password ?? address.password ?? "")"
        authorization =
            credentials == ":" ? nil : "Basic " + Data(credentials.utf8).base64EncodedString()
    }

    /// The JSON that Flower answers.
    ///
    /// - Throws: ``FlowerProblem``, or `CancellationError`.
    func json(
        _ path: String, _ query: [(String, String)] = [], within timeout: Duration = patience
    ) async throws -> JSONValue {
        let body = try await body(path, query, within: timeout)
        guard let value = try? JSONValue(parsing: body, maximumDepth: Self.maximumDepth) else {
            throw problem(
                "answered with something that is not JSON",
                "check that CELERY_FLOWER_URL is that of Flower, not of a login page before it.")
        }
        return value
    }

    /// What Flower answers, whatever it is.
    func body(
        _ path: String, _ query: [(String, String)] = [], within timeout: Duration
    ) async throws -> [UInt8] {
        let request = Clients.HTTPRequest(
            .get, address.url(path, query), headers: authorization.map { [("Authorization", $0)] } ?? [],
            timeout: timeout, maximumBytes: Self.maximumBytes)
        let answer: Clients.HTTPAnswer
        do {
            answer = try await clients.send(request)
        } catch let problem as Clients.HTTPProblem {
            throw self.problem(problem, timeout)
        }
        guard answer.status == 200 else { throw problem(status: answer.status) }
        return answer.body
    }

    /// An answer whose parts are not where Flower puts them.
    func unexpected(_ what: String) -> FlowerProblem {
        problem(
            "answered without \(what)",
            "check that CELERY_FLOWER_URL is that of a Flower 2, with its url_prefix if it has one.")
    }

    private func problem(_ what: String, _ remedy: String) -> FlowerProblem {
        FlowerProblem(text: "Flower at \(address) \(what): \(remedy)")
    }

    private func problem(_ problem: Clients.HTTPProblem, _ timeout: Duration) -> FlowerProblem {
        switch problem {
        case .timedOut:
            self.problem(
                "did not answer within \(timeout.components.seconds) seconds",
                "check that it runs and that its broker answers.")
        case .unreachable, .invalidURL:
            self.problem(
                "cannot be reached", "check that it runs and that CELERY_FLOWER_URL is its address.")
        case .tooLarge:
            self.problem("answered with more than can be read", "ask for fewer tasks or a shorter window.")
        }
    }

    private func problem(status: Int) -> FlowerProblem {
        switch status {
        case 401 where authorization == nil, 403 where authorization == nil:
            problem(
                "wants a login (\(status))",
                "set CELERY_FLOWER_USER and CELERY_FLOWER_PASSWORD; a Flower without any login answers only"
                    + " if it runs with FLOWER_UNAUTHENTICATED_API=true.")
        case 401, 403:
            problem(
                "refused the user or the password (\(status))",
                "check CELERY_FLOWER_USER and CELERY_FLOWER_PASSWORD.")
        case 404:
            problem(
                "knows no such API (404)",
                "check CELERY_FLOWER_URL and, if Flower has one, its url_prefix.")
        case 500...:
            problem(
                "failed to answer (\(status))", "see its log; most often its broker does not answer.")
        default:
            problem("answered \(status)", "check that CELERY_FLOWER_URL is that of Flower.")
        }
    }
}

/// Why Flower could not be asked, and what to do: one sentence to show, with
/// nothing in it that Flower wrote.
struct FlowerProblem: Error {
    let text: String
}
