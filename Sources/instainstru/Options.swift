import ArgumentParser
import Foundation
import JSON
import Kernel
import Logging
import Server
import Storage

/// Options of every verb.
struct CommonOptions: ParsableArguments {
    @Option(help: "Folder for the SQLite file, keys and the mailbox.") var data: String?
    @Option(help: "trace, debug, info, notice, warning, error or critical.") var logLevel: String?

    func load(_ more: [String: String] = [:], quiet: Bool = false) async throws -> Kernel.Configuration {
        var flags = more
        if let data { flags["DATA"] = data }
        if let logLevel { flags["LOG_LEVEL"] = logLevel }
        var configuration = try await Kernel.Configuration.load(flags: flags)
        if quiet, logLevel == nil { configuration.logLevel = "warning" }
        return configuration
    }
}

/// Options of the verbs that listen.
struct ListenOptions: ParsableArguments {
    @OptionGroup var common: CommonOptions
    @Option(help: "Address to listen on.") var host: String?
    @Option(help: "Port to listen on; 0 takes a free one.") var port: Int?

    func load() async throws -> Kernel.Configuration {
        var flags: [String: String] = [:]
        if let host { flags["HOST"] = host }
        if let port { flags["PORT"] = String(port) }
        return try await common.load(flags)
    }
}

/// What verbs share: logging, failing, printing.
enum Terminal {
    static func logger(_ configuration: Kernel.Configuration) throws -> Logger {
        guard let level = Logger.Level(rawValue: configuration.logLevel) else {
            throw Failure.invalid([.init("LOG_LEVEL", "is not a log level: '\(configuration.logLevel)'")])
        }
        var logger = Logger(label: "instainstru") { JSONLogHandler(label: $0, level: level) }
        logger.logLevel = level
        return logger
    }

    /// Runs a verb on an open platform and closes it, whatever happens.
    static func withPlatform<T>(
        _ configuration: Kernel.Configuration, _ body: (Platform) async throws -> T
    ) async throws -> T {
        try await reporting {
            let platform = try await Platform.open(
                configuration, logger: try logger(configuration), clients: .live())
            do {
                let value = try await body(platform)
                await platform.close()
                return value
            } catch {
                await platform.close()
                throw error
            }
        }
    }

    /// A failure becomes its message and hint on standard error and exit code 1.
    static func reporting<T>(_ body: () async throws -> T) async throws -> T {
        do { return try await body() } catch let failure as Failure {
            complain("\(failure)")
        } catch let error as StorageError {
            complain("\(error)")
        }
        throw ExitCode.failure
    }

    static func complain(_ text: String) {
        FileHandle.standardError.write(Data("instainstru: \(text)\n".utf8))
    }

    /// One line, at once: a reader of a pipe waits for it.
    static func say(_ text: String) { write(Array((text + "\n").utf8)) }

    static func write(_ bytes: [UInt8]) { FileHandle.standardOutput.write(Data(bytes)) }

    /// Whoever runs the command line on the machine itself.
    static var operatorActor: Actor {
        let user = ProcessInfo.processInfo.userName
        return Actor(
            type: .user, id: "cli:\(user)", email: nil, name: "command line of \(user)",
            scopes: Set(Kernel.Scope.allCases), roles: ["admin"])
    }
}
