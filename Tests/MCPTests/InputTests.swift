import JSON
import MCP
import Synchronization
import Testing

/// Calls that need input from the client before they can go on.
@Suite struct InputTests {
    private final class Clock: Sendable {
        let seconds = Atomic(1_000_000)
    }

    private let clock = Clock()
    private static let able: JSONValue = ["elicitation": [:]]

    private func server(sealed: Bool = true) -> MCPServer<TestHost> {
        var host = TestHost()
        host.add(.plain("confirm")) { call in
            let context = call.context
            guard context.state == [9, 9], let answer = context.inputResponses["ok"] else {
                return .inputRequired(
                    InputRequired(
                        ["ok": .elicit(message: "Sure?", schema: ["type": "object"])], state: [9, 9]))
            }
            return .text("state-ok \(ElicitationAnswer(answer))")
        }
        host.add(.plain("other")) { .text("\($0.context.state ?? [])") }
        host.add(.plain("stateless")) { call in
            if case .accept(let content) = ElicitationAnswer(
                call.context.inputResponses["user_name"] ?? .null),
                let name = content["name"]?.stringValue
            {
                return .text("Hello, \(name)!")
            }
            return .inputRequired(
                InputRequired(["user_name": .elicit(message: "Name?", schema: ["type": "object"])]))
        }
        host.add(.plain("url")) { _ in
            .inputRequired(InputRequired(["u": .open(url: "https://x", message: "Go")]))
        }
        host.add(.plain("many")) { _ in
            .inputRequired(InputRequired(["s": .sample(["maxTokens": 5]), "r": .roots]))
        }
        var configuration = MCPConfiguration()
        if sealed {
            let clock = clock
            configuration.seal = StateSeal(
                lifetime: 60, now: { clock.seconds.load(ordering: .relaxed) }, sign: sealKey)
        }
        return MCPServer(host: host, configuration: configuration)
    }

    private func call(
        _ server: MCPServer<TestHost>, _ name: String = "confirm", _ params: JSONObject = [:],
        capabilities: JSONValue = able, caller: String = "ann"
    ) async throws -> Answer {
        let request = Send.modern(
            "tools/call", params.merging(["name": .string(name)]), capabilities: capabilities)
        return try await server.answer(request, caller: caller)
    }

    @Test func aQuestionIsAResultAndTheRetryCarriesItsAnswer() async throws {
        let server = server()
        let first = try await call(server)
        #expect(first.status == 200)
        #expect(first.result["resultType"] == "input_required")
        #expect(
            first.result["inputRequests"]
                == [
                    "ok": [
                        "method": "elicitation/create",
                        "params": ["message": "Sure?", "requestedSchema": ["type": "object"]],
                    ]
                ])
        #expect(first.result["ttlMs"] == nil)
        let state = try #require(first.result["requestState"])
        let second = try await call(
            server, "confirm",
            ["requestState": state, "inputResponses": ["ok": ["action": "accept"], "extra": 1]])
        #expect(second.result["resultType"] == "complete")
        #expect(second.result["content"]?[0]?["text"]?.stringValue?.hasPrefix("state-ok") == true)
        // An absent answer is asked for again.
        let third = try await call(server, "confirm", ["requestState": state, "inputResponses": [:]])
        #expect(third.result["resultType"] == "input_required")
    }

    @Test func aStateIsGoodOnlyForWhatItWasMadeFor() async throws {
        let server = server()
        let state = try #require(try await call(server).result["requestState"]?.stringValue)
        let given: JSONObject = ["requestState": .string(state)]
        #expect(try await call(server, "confirm", given).code == nil)
        #expect(try await call(server, "confirm", given, caller: "eve").code == -32602)
        #expect(try await call(server, "other", given).code == -32602)
        #expect(try await call(server, "confirm", given.merging(["arguments": ["x": 1]])).code == -32602)
        for bad in [
            JSONValue.int(1), "", ".", "a.b", .string(state + "A"), .string(String(state.dropFirst())),
        ] {
            let answer = try await call(server, "confirm", ["requestState": bad])
            #expect(answer.status == 400 && answer.code == -32602, "\(bad)")
        }
    }

    @Test func everyTamperedCharacterOfAStateIsNoticed() async throws {
        let server = server()
        let state = try #require(try await call(server).result["requestState"]?.stringValue)
        for index in state.indices where state[index] != "." {
            var tampered = state
            tampered.replaceSubrange(index...index, with: state[index] == "A" ? "B" : "A")
            #expect(try await call(server, "confirm", ["requestState": .string(tampered)]).code == -32602)
        }
    }

    @Test func aStateExpires() async throws {
        let server = server()
        let state = try #require(try await call(server).result["requestState"])
        clock.seconds.store(1_000_059, ordering: .relaxed)
        #expect(try await call(server, "confirm", ["requestState": state]).code == nil)
        clock.seconds.store(1_000_060, ordering: .relaxed)
        #expect(try await call(server, "confirm", ["requestState": state]).code == -32602)
    }

    @Test func onlyDeclaredCapabilitiesAreUsed() async throws {
        let server = server()
        let none = try await call(server, capabilities: [:])
        #expect(none.status == 400 && none.code == -32021)
        #expect(none.error["data"]?["requiredCapabilities"] == ["elicitation": [:]])
        #expect(try await call(server, capabilities: ["elicitation": ["url": [:]]]).code == -32021)
        #expect(try await call(server, capabilities: ["elicitation": ["form": [:]]]).code == nil)
        #expect(
            try await call(server, "url").error["data"]?["requiredCapabilities"]
                == ["elicitation": ["url": [:]]])
        #expect(try await call(server, "url", capabilities: ["elicitation": ["url": [:]]]).code == nil)
        #expect(try await call(server, "many", capabilities: ["sampling": [:]]).code == -32021)
        let both = try await call(server, "many", capabilities: ["sampling": [:], "roots": [:]])
        #expect(both.result["inputRequests"]?["s"]?["method"] == "sampling/createMessage")
        #expect(both.result["inputRequests"]?["r"] == ["method": "roots/list", "params": [:]])
        #expect(both.result["requestState"] == nil)
    }

    @Test func unusableAnswersAreAskedForAgainAndMalformedOnesRefused() async throws {
        let server = server()
        let wrong: JSONValue = ["user_name": ["action": "accept", "content": ["name": 5]]]
        let again = try await call(server, "stateless", ["inputResponses": wrong])
        #expect(again.result["resultType"] == "input_required")
        let right: JSONValue = ["user_name": ["action": "accept", "content": ["name": "Bo"]]]
        let done = try await call(server, "stateless", ["inputResponses": right])
        #expect(done.result["content"]?[0]?["text"] == "Hello, Bo!")
        #expect(try await call(server, "stateless", ["inputResponses": [1]]).code == -32602)
    }

    @Test func aStateWithoutASealIsTheHostsMistake() async throws {
        let answer = try await call(server(sealed: false))
        #expect(answer.code == -32603)
        #expect(try await call(server(sealed: false), "other", ["requestState": "x.y"]).code == -32602)
    }

    @Test func aLegacyClientWithoutAStreamIsToldWhatToDo() async throws {
        let answer = try await server().answer(Send.legacy("tools/call", ["name": "confirm"]))
        #expect(answer.result["isError"] == true)
        #expect(answer.result["content"]?[0]?["text"]?.stringValue?.contains("argument") == true)
    }
}
