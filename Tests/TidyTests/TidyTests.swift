import FoundationEssentials
import Testing

/// The rules of `STYLE.md` that a program can check, for every file of ours.
@Suite struct TidyTests {
    static let root = URL(filePath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent()

    /// Paths of our Swift files below the package, e.g. `Sources/Kernel/Actor.swift`.
    static let files: [String] = ["Sources", "Tests"].flatMap { folder -> [String] in
        let paths = try? FileManager.default.subpathsOfDirectory(atPath: root.appending(path: folder).path)
        return (paths ?? []).filter { $0.hasSuffix(".swift") }.map { "\(folder)/\($0)" }
    }.sorted()
    static let sources = files.filter { $0.hasPrefix("Sources/") }

    /// Module to the targets that may import it; every name that begins with
    /// `NIO` counts as `NIO`.
    static let importers: [String: Set<String>] = [
        "GRDB": ["Storage"], "GRDBSQLite": ["Storage"], "CPostgres": ["Storage"],
        "CArgon2": ["Features"], "CQREncode": ["Features"], "JWTKit": ["Features"],
        "Hummingbird": ["Server", "mcp-conformance", "bench-echo"],
        "AsyncHTTPClient": ["Server", "mcp-conformance"],
        "NIO": ["Server", "mcp-conformance"], "HTTPTypes": ["Server", "mcp-conformance"],
        "MCP": ["Server", "mcp-conformance"], "Server": ["instainstru", "mcp-conformance"],
        "Features": ["Server"], "Kernel": ["Features", "Server", "instainstru", "bench-jobs"],
        "Storage": ["Kernel", "Features", "Server", "instainstru", "bench-jobs"],
        "ArgumentParser": ["instainstru"],
    ]

    /// What must not be written in `Sources`, with the files where it may be and why.
    static let bans: [(name: String, pattern: Pattern, allowed: [String: String])] = [
        ("try!", Pattern("try!", #"\btry!"#), [:]),
        ("a force unwrap", Pattern("!", #"[A-Za-z0-9_)\]>"]!(?![=\w])"#), [:]),
        ("@unchecked Sendable", Pattern("@unchecked", #"@unchecked\s+Sendable"#), [:]),
        ("nonisolated(unsafe)", Pattern("nonisolated(", #"nonisolated\(unsafe\)"#), [:]),
        (
            "print(", Pattern("print(", #"(^|[^\w.])print\("#),
            [
                "Sources/instainstru/": "a command's output is its purpose",
                "Sources/bench-jobs/": "what it measured is its purpose",
            ]
        ),
        ("fatalError(", Pattern("fatalError(", #"\bfatalError\("#), [:]),
        // Everything long-lived is a Service of the one group, and waits for what it starts.
        (
            "an unstructured task", Pattern("Task", #"\bTask(\.detached)?\s*(<[^>]*>)?\s*(\([^)]*\))?\s*\{"#),
            [:]
        ),
        // A query cannot write; a built-in provider may, to tables that are the provider's.
        (
            "a reader's database", Pattern(".behind", #"\.behind\b"#),
            ["Sources/Features/Payments/Provider/": "the built-in provider keeps tables of its own"]
        ),
        ("TODO", Pattern("TODO", #"\bTODO\b"#), [:]), ("FIXME", Pattern("FIXME", #"\bFIXME\b"#), [:]),
    ]

    @Test func thereAreFilesToLookAt() {
        #expect(Self.sources.count > 100)
        #expect(Self.files.contains("Sources/Kernel/Operations/Runner.swift"))
    }

    @Test(arguments: files) func aFileIsShortAndItsLinesAre(path: String) throws {
        let lines = try Self.lines(path)
        #expect(lines.count <= (path.hasPrefix("Tests/") ? 600 : 400))
        for (number, line) in lines.enumerated() where line.utf8.count > 120 {
            #expect(line.count <= 120, "line \(number + 1)")
        }
        let hasSpaceAtEnd = lines.enumerated().filter { $1.last == " " || $1.contains("\t") }.map {
            $0.offset + 1
        }
        #expect(hasSpaceAtEnd.isEmpty, "tab or space at the end of lines \(hasSpaceAtEnd)")
    }

    @Test(arguments: sources) func aFileImportsWhatItsTargetMay(path: String) throws {
        let target = String(path.split(separator: "/")[1])
        for line in try Self.lines(path) {
            guard let module = Self.imported(by: line) else { continue }
            let key = module.hasPrefix("NIO") ? "NIO" : module
            guard let allowed = Self.importers[key] else { continue }
            #expect(allowed.contains(target), "\(module) belongs to \(allowed.sorted())")
        }
    }

    @Test(arguments: sources) func aFileHoldsNothingBanned(path: String) throws {
        let lines = try Self.lines(path)
        let code = Self.code(lines)
        for ban in Self.bans where !ban.allowed.keys.contains(where: path.hasPrefix) {
            // What is left for later stands in comments, too.
            let texts = ban.name == "TODO" || ban.name == "FIXME" ? lines : code
            let found = texts.enumerated().filter { ban.pattern.matches($1) }.map { $0.offset + 1 }
            #expect(found.isEmpty, "\(ban.name) in lines \(found)")
        }
    }

    /// The patterns themselves, for a ban that matches nothing would pass.
    @Test(arguments: [
        ("try!", "let a = try! b()", true), ("try!", "try b()", false), ("a force unwrap", "a!.b", true),
        ("a force unwrap", "f(x!)", true), ("a force unwrap", "a[0]!", true),
        ("a force unwrap", "b()!", true),
        ("a force unwrap", "a != b", false), ("a force unwrap", "if !a, !b { }", false),
        ("a force unwrap", "(!a)", false), ("a force unwrap", "a!=b", false),
        ("@unchecked Sendable", "class A: @unchecked Sendable {", true), ("print(", "print(a)", true),
        ("print(", "fingerprint(a)", false), ("print(", "a.print(b)", false),
        ("an unstructured task", "Task { await a() }", true),
        ("an unstructured task", "Task.detached { }", true),
        ("an unstructured task", "Task(priority: .low) {", true),
        ("an unstructured task", "Task<Void, Never> {", true),
        ("an unstructured task", "group.addTask { }", false),
        ("an unstructured task", "Task.isCancelled", false),
        ("an unstructured task", "withTaskGroup(of: Void.self) { group in", false),
        ("a reader's database", "of(context, db.behind)", true),
        ("a reader's database", "isBehind", false),
        ("fatalError(", "fatalError()", true), ("TODO", "// TODO: this", true),
        ("TODO", "let todoList = 1", false),
    ]) func aBanMatchesWhatItMeans(name: String, line: String, isFound: Bool) throws {
        let ban = try #require(Self.bans.first { $0.name == name })
        #expect(ban.pattern.matches(line) == isFound)
    }

    @Test func textAndCommentsAreNotCode() {
        let lines = [
            #"let a = "wow!" // well!"#, "let b = \"\"\"", "  try! this!", "  \"\"\"", "a!.b /// no!",
        ]
        #expect(Self.code(lines) == [#"let a = "" "#, #"let b = """#, "", #""""#, "a!.b "])
    }
}

/// A regular expression, asked only where a word that it needs is found.
struct Pattern: Sendable {
    private let word: String
    private let text: String

    init(_ word: String, _ text: String) { (self.word, self.text) = (word, text) }

    func matches(_ line: String) -> Bool {
        guard line.utf8.firstRange(of: word.utf8) != nil else { return false }
        // A pattern that cannot be read matches everything, and so is found.
        guard let regex = try? Regex(text) else { return true }
        return line.contains(regex)
    }
}

// Reading files.
extension TidyTests {
    static func lines(_ path: String) throws -> [String] {
        let text = try String(contentsOf: root.appending(path: path), encoding: .utf8)
        return text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    static func imported(by line: String) -> String? {
        guard line.utf8.firstRange(of: "import ".utf8) != nil else { return nil }
        let pattern =
            /(?:@\w+ )?(?:(?:package|public|internal|private) )?import (?:struct |class |func |enum )?(\w+).*/
        return line.wholeMatch(of: pattern).map { String($0.1) }
    }

    /// The lines without comments and with empty string literals.
    static func code(_ lines: [String]) -> [String] {
        var isInText = false
        return lines.map { line in
            let delimiter = line.firstRange(of: "\"\"\"")
            if isInText {
                if let delimiter {
                    isInText = false
                    return "\"\"" + stripped(line[delimiter.upperBound...])
                }
                return ""
            }
            if let delimiter, line[delimiter.upperBound...].firstRange(of: "\"\"\"") == nil {
                isInText = true
                return stripped(line[..<delimiter.lowerBound]) + "\"\""
            }
            return stripped(line[...])
        }
    }

    private static func stripped(_ line: Substring) -> String {
        guard line.utf8.contains(where: { $0 == UInt8(ascii: "\"") || $0 == UInt8(ascii: "/") }) else {
            return String(line)
        }
        var (result, isQuoted, isEscaped) = ("", false, false)
        var rest = line
        while let character = rest.popFirst() {
            if isQuoted {
                if !isEscaped, character == "\"" {
                    isQuoted = false
                    result.append("\"")
                }
                isEscaped = !isEscaped && character == "\\"
            } else if character == "/", rest.first == "/" {
                break
            } else {
                isQuoted = character == "\""
                result.append(character)
            }
        }
        return result
    }
}
