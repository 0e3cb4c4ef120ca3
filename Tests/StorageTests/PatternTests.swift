import Storage
import TestSupport
import Testing

@Suite struct PatternTests {
    @Test(arguments: TestDatabase.available)
    func whatMeansSomethingInAPatternStandsForItself(dialect: Dialect) async throws {
        try await withDatabase(dialect) { database in
            for (text, part, isFound) in [
                ("Ada Lovelace", "love", true), ("Ada Lovelace", "a l", true), ("Ada", "", true),
                ("100%", "0%", true), ("100!", "0%", false), ("a_b", "A_B", true), ("axb", "a_b", false),
                ("wow!", "w!", true), ("wow%", "w!%", false), ("a\\b", "\\", true), ("ab", "\\", false),
                ("it's", "'s", true), ("Ada", "Adam", false),
            ] {
                let found: Int? = try await database.value(
                    "SELECT 1 AS found WHERE \(SQL.contains("\(text)", part))")
                #expect((found != nil) == isFound, "\(part) in \(text)")
            }
        }
    }
}
