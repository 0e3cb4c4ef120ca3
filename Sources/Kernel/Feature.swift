package import Storage

/// What a folder under `Features/` contributes. This is its only export.
package struct Feature: Sendable {
    package var name: String
    /// One sentence; part of the server's instructions to its clients.
    package var summary: String
    package var operations: [any Operation.Type]
    package var webhooks: [any WebhookSource.Type]
    package var jobs: [any Job.Type]
    package var migrations: [Migration]

    package init(
        name: String, summary: String, operations: [any Operation.Type] = [],
        webhooks: [any WebhookSource.Type] = [], jobs: [any Job.Type] = [], migrations: [Migration] = []
    ) {
        self.name = name
        self.summary = summary
        self.operations = operations
        self.webhooks = webhooks
        self.jobs = jobs
        self.migrations = migrations
    }

    /// Names that collide or are malformed; empty when all is well. The
    /// process refuses to start otherwise. Those of jobs are ``JobCheck``'s.
    package static func check(_ features: [Feature]) -> [String] {
        var problems: [String] = []
        func unique(_ what: String, _ names: [String]) {
            for (name, same) in Dictionary(grouping: names, by: { $0 }) where same.count > 1 {
                problems.append("\(what) '\(name)' is declared \(same.count) times.")
            }
        }
        let operations = features.flatMap(\.operations)
        unique("The feature", features.map(\.name))
        unique("The operation", operations.map { $0.name })
        unique(
            "The route",
            operations.map { "\($0.route.method.rawValue) \($0.audience.pathPrefix)\($0.route.path)" })
        unique("The webhook source", features.flatMap(\.webhooks).map { $0.name })
        unique("The webhook path", features.flatMap(\.webhooks).map { $0.path })
        unique("The migration", allMigrations(features).map(\.id))
        for operation in operations where operation.isCommand == (operation.effect == .read) {
            problems.append(
                "The operation '\(operation.name)' must be a Query exactly when its effect is read.")
        }
        return problems.sorted()
    }
}

/// Jobs of the platform itself.
package let kernelJobs: [any Job.Type] = [ProcessWebhook.self, PruneHistory.self]

/// Every migration in the order in which it is applied: by id.
package func allMigrations(_ features: [Feature]) -> [Migration] {
    (kernelMigrations + features.flatMap(\.migrations)).sorted { $0.id < $1.id }
}
