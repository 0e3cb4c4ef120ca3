import Storage
import TestSupport
import Testing

@Suite struct DatabaseURLTests {
    @Test(arguments: [
        ("sqlite:data/app.sqlite", "data/app.sqlite"), ("sqlite:///var/app.sqlite", "/var/app.sqlite"),
        ("sqlite:/var/app.sqlite", "/var/app.sqlite"),
    ])
    func aFileIsNamedByItsPath(text: String, path: String) throws {
        #expect(try DatabaseURL(parsing: text) == .sqlite(path))
    }

    @Test(arguments: [
        "postgres://u:hunter2@h:5433/db?sslmode=verify-full", "postgresql://h/db?user=u&password=hunter2",
        "postgres://u:h%75nter2@h/db?sslmode=require",
    ])
    func aPasswordIsNeverPrinted(text: String) throws {
        let url = try DatabaseURL(parsing: text)
        var dumped = ""
        dump(url, to: &dumped)
        for output in [
            "\(url)", String(reflecting: url), dumped, "\([url])", String(describing: Optional(url)),
        ] {
            #expect(!output.contains("hunter2") && !output.contains("h%75nter2"), "\(output)")
        }
        #expect("\(url)".hasPrefix("postgres://u:***@h"))
    }

    @Test(arguments: [
        "", "mysql://h/db", "sqlite:", "postgres://u:hunter2@h/db?nosuch=hunter2", "/var/app.sqlite",
    ])
    func anythingElseIsRefusedWithoutRepeatingIt(text: String) {
        let error = #expect(throws: StorageError.self) { try DatabaseURL(parsing: text) }
        #expect(error.map { !"\($0)".contains("hunter2") } == true)
    }

    @Test func aFailedConnectionDoesNotShowThePassword() async throws {
        let url = try DatabaseURL(parsing: "postgres://me:hunter2@127.0.0.1:1/db?connect_timeout=1")
        let error = await #expect(throws: StorageError.self) {
            _ = try await openDatabase(url, logger: TestDatabase.quiet)
        }
        guard case .connection(let text)? = error else {
            return #expect(Bool(false), "\(String(describing: error))")
        }
        #expect(text.contains("127.0.0.1") && !text.contains("hunter2"))
    }
}
