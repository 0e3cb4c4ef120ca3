import Features
import Kernel
import Storage
import Synchronization

/// Our own metric families in Prometheus' text format (exposition 0.0.4).
package final class PrometheusMetrics: Sendable {
    private struct RequestKey: Hashable, Comparable {
        var method, route: String
        var status: Int
        static func < (a: RequestKey, b: RequestKey) -> Bool {
            (a.route, a.method, a.status) < (b.route, b.method, b.status)
        }
    }
    private struct Histogram {
        var buckets = [Int](repeating: 0, count: PrometheusMetrics.bounds.count + 1)
        var sum = 0.0
        var count = 0
    }
    private struct State {
        var requests: [RequestKey: Int] = [:]
        var durations: [String: Histogram] = [:]
        var webhooks: [String: Int] = [:]
    }

    private static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]
    private let state = Mutex(State())

    package init() {}

    func request(method: String, route: String, status: Int, _ duration: Duration) {
        let seconds = duration / .seconds(1)
        state.withLock { state in
            state.requests[RequestKey(method: method, route: route, status: status), default: 0] += 1
            let index = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
            state.durations[route, default: Histogram()].buckets[index] += 1
            state.durations[route]?.sum += seconds
            state.durations[route]?.count += 1
        }
    }

    func webhook(source: String, outcome: String) {
        state.withLock { $0.webhooks["source=\"\(source)\",outcome=\"\(outcome)\"", default: 0] += 1 }
    }

    /// All families, with the state of the platform at this moment.
    func exposition(_ platform: Platform) -> String {
        let state = state.withLock { $0 }
        var text = ""
        func family(_ name: String, _ type: String, _ help: String, _ samples: [String]) {
            text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n" + samples.map { $0 + "\n" }.joined()
        }
        family(
            "instainstru_http_requests_total", "counter", "HTTP requests answered.",
            state.requests.sorted { $0.key < $1.key }.map { key, count in
                let labels = [("method", key.method), ("route", key.route), ("status", "\(key.status)")]
                    .map { "\($0)=\"\(Self.escaped($1))\"" }.joined(separator: ",")
                return "instainstru_http_requests_total{\(labels)} \(count)"
            })
        family(
            "instainstru_http_request_duration_seconds", "histogram", "Time to answer an HTTP request.",
            state.durations.sorted { $0.key < $1.key }.flatMap { Self.samples($0.key, $0.value) })
        family(
            "instainstru_webhook_deliveries_total", "counter", "Webhook requests by what became of them.",
            state.webhooks.sorted { $0.key < $1.key }.map {
                "instainstru_webhook_deliveries_total{\($0.key)} \($0.value)"
            })
        let database = platform.database.statistics
        for (name, help, value) in [
            ("instainstru_database_pool_size", "Database connections of this process.", database.poolSize),
            ("instainstru_database_pool_busy", "Database connections in use.", database.busy),
            ("instainstru_database_pool_waiting", "Calls that wait for a connection.", database.waiting),
            ("instainstru_jobs_running", "Jobs running in this process.", platform.worker.activeJobs),
            (
                "instainstru_audit_backlog", "Audit entries of reads not yet written.",
                platform.recorder.backlog
            ),
        ] { family(name, "gauge", help, ["\(name) \(value)"]) }
        if let health = AuthorizationHealth.latest {
            for (name, help, value) in [
                (
                    "instainstru_payment_authorizations_overdue", "Payments that are due and not authorized.",
                    health.overdue
                ),
                (
                    "instainstru_payment_authorizations_healthy", "Whether due payments are authorized.",
                    health.isHealthy ? 1 : 0
                ),
            ] { family(name, "gauge", help, ["\(name) \(value)"]) }
        }
        let uptime = platform.environment.now() - platform.startedAt
        family(
            "instainstru_uptime_seconds", "gauge", "Time since start.",
            ["instainstru_uptime_seconds \(uptime.components.seconds)"])
        return text
    }

    private static func samples(_ route: String, _ histogram: Histogram) -> [String] {
        let name = "instainstru_http_request_duration_seconds"
        let route = escaped(route)
        var total = 0
        var lines: [String] = []
        for (bound, count) in zip(bounds.map { "\($0)" } + ["+Inf"], histogram.buckets) {
            total += count
            lines.append("\(name)_bucket{route=\"\(route)\",le=\"\(bound)\"} \(total)")
        }
        return lines + [
            "\(name)_sum{route=\"\(route)\"} \(histogram.sum)",
            "\(name)_count{route=\"\(route)\"} \(histogram.count)",
        ]
    }

    private static func escaped(_ label: String) -> String {
        label.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
    }
}
