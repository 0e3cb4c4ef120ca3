import Features
import Foundation
import JSON
import Kernel
import Server
import Storage

/// The Celery cluster that `Scripts/with-celery` started around the tests.
enum Cluster {
    private static let environment = ProcessInfo.processInfo.environment
    static let isThere = environment["TEST_FLOWER_URL"] != nil
    static let url = environment["TEST_FLOWER_URL"] ?? ""
    static let user = environment["TEST_FLOWER_USER"] ?? ""
    static let password = environment["TEST_FLOWER_PASSWORD"] ?? ""
    /// The worker of `Tests/Celery/control.py`.
    static let worker = "w1@test"
    static let patience = Duration.seconds(30)

    struct Failed: Error, CustomStringConvertible { let description: String }

    /// The port over HTTP, as in production.
    static func monitor(password: String = password) throws -> TaskMonitor {
        guard let address = ServiceURL(parsing: url) else { throw Failed(description: "no TEST_FLOWER_URL") }
        let client = FlowerClient(
            address, user: user, password: password, clients: .live())
        return .flower(client)
    }

    /// Runs `Tests/Celery/control.py` and gives what it prints.
    @discardableResult
    static func control(_ arguments: String...) async throws -> String {
        guard let path = environment["TEST_CELERY_CONTROL"] else {
            throw Failed(description: "no TEST_CELERY_CONTROL")
        }
        let process = Process()
        process.executableURL = URL(filePath: path)
        process.arguments = arguments
        let output = Pipe()
        process.standardOutput = output
        let status = try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do { try process.run() } catch { continuation.resume(throwing: error) }
        }
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        guard status == 0 else { throw Failed(description: "control \(arguments) ended with \(status)") }
        return text.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    /// Sends a task and gives its id.
    static func send(_ task: String, _ arguments: JSONValue = []) async throws -> String {
        try await control("send", task, arguments.text)
    }

    /// Asks until the answer is as expected: nothing outside tells when it is.
    @discardableResult
    static func eventually<Answer: Sendable>(
        _ what: String, within limit: Duration = patience, _ ask: () async throws -> Answer,
        until isExpected: (Answer) -> Bool
    ) async throws -> Answer {
        let deadline = ContinuousClock.now + limit
        while true {
            let answer = try await ask()
            if isExpected(answer) { return answer }
            guard ContinuousClock.now < deadline else {
                throw Failed(description: "\(what) did not come within \(limit); last: \(answer)")
            }
            try await Task.sleep(for: .milliseconds(200))
        }
    }
}
