import Foundation
import JSON
package import Kernel
package import Logging
import ServiceLifecycle
import Storage

/// `instainstru demo`: a month of history, a server, and webhooks arriving.
package enum DemoRun {
    /// What the data folder remembers between starts.
    private struct Marker: Codable {
        var token: String
        var stripeSecret: String
        var checkrKey: String
        var checkrPass: String
    }

    package static func run(
        _ given: Kernel.Configuration, logger: Logger, say: @escaping @Sendable (String) -> Void
    ) async throws {
        var configuration = given
        try Folder.make(configuration.dataDirectory)
        let path = configuration.dataDirectory + "/demo.json"
        let known = try? JSONCoding.decode(Marker.self, from: Array(Data(contentsOf: URL(filePath: path))))
        var marker =
            known
            ?? Marker(
                token: "", stripeSecret: "whsec_" + Secrets.random(bytes: 24),
                checkrKey: Secrets.random(bytes: 20),
                checkrPass: Secrets.random(bytes: 12))
        configuration.stripeWebhookSecret = marker.stripeSecret
        configuration.checkrSandboxKey = marker.checkrKey
        configuration.checkrWebhookUser = "checkr"
        configuration.checkrWebhookPass = marker.checkrPass
        let clock = DemoClock()
        let platform = try await Platform.open(
            configuration, logger: logger, clients: .live(), now: { clock.now })
        let seed = DemoSeed(
            platform: platform, clock: clock, stripeSecret: marker.stripeSecret,
            checkr: (marker.checkrKey, "checkr", marker.checkrPass), admins: admins)
        do {
            if known == nil {
                try await refuseForeignData(platform)
                say("Making a month of history (once; a minute or two) …")
                try await seed.run { say("  \($0)") }
                clock.release()
                marker.token = try await makeToken(platform)
                try write(marker, to: path)
            }
            let (token, folder) = (marker.token, configuration.dataDirectory)
            let sender = DemoSender(seed: seed)
            try await platform.serve(api: true, worker: true, more: [sender]) { url in
                sender.start(url)
                say(DemoWelcome.text(url: url, token: token, data: folder))
            }
        } catch {
            await platform.close()
            throw error
        }
        await platform.close()
    }

    private static let admins = ["ada@instainstru.example", "grace@instainstru.example"].map { email in
        Actor(
            type: .mcp, id: "demo-\(email.prefix { $0 != "@" })", email: email,
            name: "demo token of \(email)",
            scopes: Set(Kernel.Scope.allCases), roles: ["admin"])
    }

    /// Made-up history must not mix with anything real.
    private static func refuseForeignData(_ platform: Platform) async throws {
        let rows: Int = try await platform.database.read { db in
            try db.value("SELECT COUNT(*) FROM (SELECT 1 FROM audit_logs LIMIT 1) AS any_row") ?? 0
        }
        guard rows == 0 else {
            throw Failure(
                .conflict, "The database already holds data that this demo did not finish making.",
                hint: "Choose another folder with --data, or remove \(platform.configuration.dataDirectory).")
        }
    }

    private static func makeToken(_ platform: Platform) async throws -> String {
        let context = platform.context(.system("demo"), surface: .demo)
        return try await platform.database.transaction(context, category: .admin) { tx, _ in
            try ServiceToken.create(
                name: "demo", owner: "you@instainstru.example", scopes: Kernel.Scope.allCases,
                lifetime: .seconds(90 * 86_400),
                tx, context
            ).token
        }
    }

    private static func write(_ marker: Marker, to path: String) throws {
        let made = FileManager.default.createFile(
            atPath: path, contents: Data(try JSONCoding.encode(marker)),
            attributes: [.posixPermissions: 0o600])
        guard made else { throw Failure(.unavailable, "The file \(path) cannot be written.") }
    }
}
