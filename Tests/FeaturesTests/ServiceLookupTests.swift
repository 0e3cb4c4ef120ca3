import JSON
import Kernel
import PlatformSupport
import Storage
import TestSupport
import Testing

@testable import Features

/// Services that an administrator looks up.
@Suite struct ServiceLookupTests {
    static func find(_ platform: TestPlatform, _ text: String) async throws -> JSONValue {
        try #require(try await platform.call("service_lookup", ["query": .string(text)])["data"])
    }

    static func slugs(_ data: JSONValue) -> [String] {
        (data["matches"]?.arrayValue ?? []).compactMap { $0["slug"]?.stringValue }
    }

    @Test(arguments: TestDatabase.available)
    func aNameIsFoundWhateverItsCaseAndMisspelt(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            for text in ["piano", "  PIANO ", "pianno", "pian"] {
                #expect(Self.slugs(try await Self.find(platform, text)).first == "piano", "\(text)")
            }
            #expect(Self.slugs(try await Self.find(platform, "jazz")).contains("saxophone"))
            for text in ["%%", "__", "p%o", "qqqq", "' OR 1=1 --"] {
                let data = try await Self.find(platform, text)
                #expect(Self.slugs(data).isEmpty && data["count"]?.intValue == 0, "\(text)")
                #expect(data["message"]?.stringValue?.contains(text) == true)
            }
        }
    }

    @Test(arguments: TestDatabase.available)
    func aServiceThatIsNotOfferedIsFoundAndMarked(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            try await platform.execute("UPDATE service_catalog SET is_active = FALSE WHERE slug = 'piano'")
            let first = try await Self.find(platform, "piano")["matches"]?.arrayValue?.first
            #expect(first?["slug"]?.stringValue == "piano")
            #expect(first?["is_active"]?.boolValue == false)
        }
    }

    @Test(arguments: TestDatabase.available)
    func aListIsCutAtTenAndSaysHowManyThereAre(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            try await platform.execute("UPDATE service_catalog SET description = 'zzgroup'")
            _ = platform.database.takeStatementCount()
            let data = try await Self.find(platform, "zzgroup")
            #expect(Self.slugs(data).count == 10 && data["count"]?.intValue == 10)
            #expect(data["total_count"]?.intValue == 89)
            #expect(platform.database.takeStatementCount() == 1)
        }
    }

    @Test(arguments: TestDatabase.available)
    func argumentsThatCannotBeAreRefusedByName(dialect: Dialect) async throws {
        try await TestPlatform.with(dialect) { platform in
            for (arguments, name): (JSONObject, String) in [
                (["query": "p"], "query"), ([:], "query"), (["query": "piano", "q": "x"], "q"),
            ] {
                let failure = try #require(try await platform.failure("service_lookup", arguments))
                #expect(failure.code == .invalidInput)
                #expect(failure.fields.contains { $0.name == name }, "\(failure)")
            }
            #expect(Self.slugs(try await Self.find(platform, "   ")).isEmpty)
        }
    }

    @Test func likenessIsThatOfPostgres() {
        // The example of PostgreSQL's documentation of pg_trgm.
        #expect(abs(TrigramSimilarity.of("word", "two words") - 0.36363637) < 0.000001)
        #expect(TrigramSimilarity.of("", "word") == 0)
    }
}
