import Hummingbird

// The bare ceiling that benchmarks compare with: Hummingbird decoding a JSON
// body and encoding it again, and nothing else. `bench-echo <port>`.

struct Message: Codable {
    var jsonrpc: String
    var id: Int
    var method: String
}

extension Message: ResponseCodable {}

let router = Router()
router.post("/echo") { request, context -> Message in
    try await request.decode(as: Message.self, context: context)
}
let port = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 8_099
let application = Application(
    router: router, configuration: .init(address: .hostname("127.0.0.1", port: port)))
try await application.runService()
