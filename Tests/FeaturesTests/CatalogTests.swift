import Features
import FoundationEssentials
import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

/// Walks every operation of the product: a new one is under these tests before
/// its author writes one.
@Suite struct CatalogTests {
    static let catalog = OperationCatalog(allFeatures)
    static let names = catalog.all.map(\.name)
    static let tools = catalog.tools.map(\.name)

    static func descriptor(_ name: String) throws -> OperationDescriptor { try #require(catalog[name]) }

    @Test func featuresDoNotContradictEachOther() {
        #expect(Feature.check(allFeatures) == [])
        #expect(Set(Self.names).count == Self.names.count)
    }

    @Test func contradictionsAreFound() {
        let problems = Feature.check(allFeatures + [.webhooks])
        #expect(problems.contains { $0.contains("webhook_replay") })
        #expect(problems.contains("The feature 'webhooks' is declared 2 times."))
    }

    @Test(arguments: names)
    func anOperationIsNamedAndDescribed(name: String) throws {
        let operation = try Self.descriptor(name)
        #expect(name.wholeMatch(of: /[a-z][a-z0-9]*(_[a-z0-9]+)*/) != nil)
        #expect(operation.toolName.utf8.count <= 64)
        #expect((1...200).contains(operation.summary.count))
        #expect(operation.summary.hasSuffix("."))
        #expect(!operation.title.isEmpty)
        #expect(operation.isCommand == (operation.effect != .read))
        #expect(operation.scope == (operation.isCommand ? .write : .read))
        // A question may be a POST when its arguments are too long for an address.
        #expect(operation.route.method != .get || !operation.isCommand)
        #expect([.get, .post].contains(operation.route.method) || operation.isCommand)
        if operation.audience == .operators {
            #expect(operation.route.method == (operation.isCommand ? .post : .get))
            #expect(operation.action.wholeMatch(of: /mcp(\.[a-z0-9_-]+)+/) != nil)
        } else if operation.isCommand {
            // What people do is told by what it means, not by its path.
            #expect(operation.action.wholeMatch(of: /[a-z_]+\.[a-z0-9_]+/) != nil)
        }
    }

    @Test(arguments: names)
    func everyInputIsDocumented(name: String) throws {
        let operation = try Self.descriptor(name)
        for parameter in operation.parameters {
            #expect((1...160).contains(parameter.summary.count), "\(parameter.name)")
            #expect(parameter.summary.hasSuffix("."), "\(parameter.name)")
            #expect(parameter.schema["type"] != nil, "\(parameter.name)")
            #expect(parameter.name.wholeMatch(of: /[a-z][a-z0-9_]*/) != nil)
        }
        #expect(Set(operation.route.parameters).isSubset(of: Set(operation.parameters.map(\.name))))
        #expect(operation.inputSchema["type"] == "object")
        #expect(operation.inputSchema["additionalProperties"] == false)
    }

    @Test(arguments: names)
    func anOutputSchemaIsAnObjectWithoutSurprises(name: String) throws {
        let schema = try Self.descriptor(name).outputSchema
        #expect(schema["type"] == "object")
        #expect(schema["anyOf"] == nil)
        #expect(schema["properties"]?.objectValue?.isEmpty == false)
        #expect(Self.arraysWithoutItems(schema, "$") == [])
        #expect(Self.arraysWithoutItems(try Self.descriptor(name).inputSchema, "$") == [])
    }

    static func arraysWithoutItems(_ schema: JSONValue, _ path: String) -> [String] {
        switch schema {
        case .object(let members):
            let types = members["type"]?.arrayValue ?? [members["type"] ?? .null]
            let own = types.contains("array") && members["items"] == nil ? [path] : []
            return own + members.flatMap { arraysWithoutItems($0.value, "\(path).\($0.key)") }
        case .array(let elements):
            return elements.enumerated().flatMap { arraysWithoutItems($1, "\(path)[\($0)]") }
        default: return []
        }
    }

    @Test(arguments: tools)
    func aToolIsTheOneInItsSnapshot(name: String) throws {
        let operation = try Self.descriptor(name)
        let tool: JSONValue = [
            "name": .string(operation.toolName), "title": .string(operation.title),
            "summary": .string(operation.summary), "feature": .string(operation.feature),
            "effect": .string(operation.effect.rawValue), "scope": .string(operation.scope.rawValue),
            "route": .string("\(operation.route.method.rawValue) \(operation.route.path)"),
            "action": .string(operation.action), "cost": .int(operation.cost), "input": operation.inputSchema,
            "output": operation.outputSchema,
        ]
        try expectSnapshot(
            String(decoding: tool.encoded(pretty: true), as: UTF8.self) + "\n", named: "tools/\(name).json")
    }

    /// Calls of every operation on the data of ``seeded(_:_:)``.
    static func calls(_ events: [String: JSONValue]) -> [String: [JSONObject]] {
        let (failed, done) = (events["failed"] ?? .null, events["done"] ?? .null)
        return [
            "webhooks_list": [[:], ["source": "stripe", "limit": 1]], "webhooks_failed": [[:]],
            "webhook_detail": [["event_id": failed], ["event_id": done]],
            "webhook_replay": [
                ["event_id": failed], ["event_id": failed, "dry_run": false],
                ["event_id": done, "dry_run": false, "force": true, "reason": "a test"],
            ],
            "audit_search": [[:], ["detail": true, "limit": 2]],
            "audit_user_activity": [["user_email": "ada@example.com"]],
            "audit_resource_history": [["resource_type": "webhook", "resource_id": failed]],
            "audit_recent_admin_actions": [["include_reads": true, "include_automated": true]],
            "audit_entry": [["entry_id": events["entry"] ?? .null]],
            "celery_worker_status": [[:]], "celery_queue_depth": [[:]], "celery_failed_tasks": [[:]],
            "celery_payment_health": [[:]], "celery_active_tasks": [[:]], "celery_beat_schedule": [[:]],
            "celery_task_history": [
                [:], ["task_name": "webhooks.process", "state": "FAILURE", "hours": 24],
            ],
            "celery_task_history_persistent": [
                [:], ["status": "STARTED"], ["status": "SUCCESS", "limit": 1],
            ],
            "celery_task_stats": [[:], ["task_name": "webhooks.process"]],
            "job_retry": [["task_name": "webhooks.process", "reason": "a test"]],
            "job_discard": [
                ["job_ids": [events["job"] ?? .null], "reason": "a test", "dry_run": true]
            ],
            "queue_pause": [["queue": "payments", "reason": "a test"]],
            "queue_resume": [["queue": "payments"]],
            "payments_reconciliation": [[:]], "payments_reconcile": [[:]],
            "search_top_queries": [["min_count": 1]], "search_zero_results": [[:]],
            "invites_list": [[:], ["reveal": true, "reason": "a test", "limit": 1]],
            "invites_detail": [["identifier": events["invite"] ?? .null]],
            "founding_funnel_summary": [[:], ["view": "cohort"]],
            "founding_stuck_instructors": [[:]],
            "service_lookup": [["query": "piano"], ["query": "qqqq"]], "services_catalog": [[:]],
            "instructors_list": [["limit": 1], ["reveal": true, "reason": "a test"]],
            "instructors_coverage": [[:], ["group_by": "service", "top": 1]],
            "instructors_detail": [["identifier": "ines"]],
        ]
    }

    /// A platform with a processed and a failed event, replays of it and their audit entries.
    static func seeded(
        _ dialect: Dialect, _ body: (TestPlatform, [String: JSONValue]) async throws -> Void
    ) async throws {
        try await StripeHandlerTests.with(dialect) { platform in
            let done = try await platform.deliver(
                stripe: StripeEvents.paymentIntent("evt_1", "succeeded", "succeeded", at: 1)
            ).id
            let failed = try await platform.deliver(stripe: StripeEvents.refund("evt_2", total: 9_999, at: 2))
                .id
            try await platform.deliver(
                checkr: CheckrEvents.event("e1", "report.created", at: 3), deliveryID: "d1")
            try await platform.finishJobs()
            let id = JSONValue.string(failed.description)
            _ = try await platform.callConfirmed("webhook_replay", ["event_id": id, "dry_run": false])
            try await platform.seal()
            await platform.worker.renewAndRescue()
            let invite = try await DataToolTests.seed(platform)
            let entry: String? = try await platform.value("SELECT MAX(entry_id) FROM audit_leaves")
            let job: String? = try await platform.value("SELECT MAX(id) FROM jobs")
            try await body(
                platform,
                [
                    "failed": id, "done": .string(done.description),
                    "entry": entry.map { .string($0) } ?? .null,
                    "job": job.map { .string($0) } ?? .null,
                    "invite": .string(invite.id.description),
                ])
        }
    }

    @Test func everyOperationHasACallHere() {
        #expect(Set(Self.calls([:]).keys) == Set(Self.tools))
    }

    @Test(arguments: TestDatabase.available)
    func everyAnswerIsWhatItsSchemaSays(dialect: Dialect) async throws {
        try await Self.seeded(dialect) { platform, events in
            for (name, calls) in Self.calls(events) {
                let schema = try Self.descriptor(name).outputSchema
                for arguments in calls {
                    let answers = [
                        try await platform.call(name, arguments),
                        try await platform.callConfirmed(name, arguments),
                    ]
                    for answer in answers {
                        #expect(SchemaValidator.problems(answer, schema) == [], "\(name) \(arguments)")
                        // Declared is everything that is there, too.
                        #expect(Self.undeclared(answer, schema, "$") == [], "\(name) \(arguments)")
                    }
                }
            }
        }
    }

    /// Members of an answer that its schema does not mention.
    static func undeclared(_ value: JSONValue, _ schema: JSONValue, _ path: String) -> [String] {
        let schema = schema["anyOf"]?.arrayValue?.first { $0["type"] != "null" } ?? schema
        switch value {
        case .object(let members):
            guard let properties = schema["properties"]?.objectValue else { return [] }
            return members.flatMap { name, member in
                properties[name].map { undeclared(member, $0, "\(path).\(name)") } ?? ["\(path).\(name)"]
            }
        case .array(let elements):
            return elements.flatMap { undeclared($0, schema["items"] ?? [:], "\(path)[]") }
        default: return []
        }
    }

    @Test(arguments: TestDatabase.available)
    func answersHaveTheKeysOfTheContract(dialect: Dialect) async throws {
        let url = URL(filePath: #filePath).deletingLastPathComponent().appending(
            path: "Fixtures/contract-keys.json")
        let contract = try JSONValue(parsing: String(contentsOf: url, encoding: .utf8))
        try await Self.seeded(dialect) { platform, events in
            for (name, tool) in try #require(contract.objectValue) {
                var found: [String: Set<String>] = [:]
                let maps = Set(tool["maps"]?.arrayValue?.compactMap(\.stringValue) ?? [])
                for arguments in try #require(Self.calls(events)[name]) {
                    Self.collect(try await platform.callConfirmed(name, arguments), "", maps, &found)
                }
                let keys = tool["keys"]?.objectValue ?? [:]
                let additions = Set(tool["additions"]?.arrayValue?.compactMap(\.stringValue) ?? [])
                #expect(Set(keys.keys).subtracting(found.keys) == [], "\(name): missing")
                let extra = Set(found.keys).subtracting(keys.keys).subtracting(additions)
                #expect(extra.sorted() == [], "\(name): not in the fixture's additions")
                #expect(additions.subtracting(found.keys) == [], "\(name): no longer there")
                for (path, types) in keys {
                    let allowed = Set(types.arrayValue?.compactMap(\.stringValue) ?? [])
                    #expect(found[path, default: []].isSubset(of: allowed), "\(name) \(path)")
                }
            }
        }
    }

    /// Adds the path and type of every member; an array's elements share `[]`.
    static func collect(
        _ value: JSONValue, _ path: String, _ maps: Set<String>, _ found: inout [String: Set<String>]
    ) {
        if !path.isEmpty, !path.hasSuffix("[]") { found[path, default: []].insert(value.typeName) }
        guard !maps.contains(path) else { return }
        switch value {
        case .object(let members):
            for (name, member) in members {
                collect(member, path.isEmpty ? name : "\(path).\(name)", maps, &found)
            }
        case .array(let elements): for element in elements { collect(element, "\(path)[]", maps, &found) }
        default: break
        }
    }

    @Test func theHintsNameOperationsThatExist() {
        let words = Self.catalog.tools.flatMap { operation in
            ([operation.summary] + operation.parameters.map(\.summary)).flatMap { text in
                text.matches(of: /\b(?:webhooks?|audit|booking|payment|instructor)s?_[a-z_]+\b/).map {
                    String($0.output)
                }
            }
        }
        #expect(words.allSatisfy { Self.tools.contains($0) }, "\(words)")
    }
}
