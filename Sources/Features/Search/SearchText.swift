/// What people type, brought to one form.
package enum SearchText {
    /// Longer texts are cut.
    package static let maximumCharacters = 200
    static let maximumWords = 8

    /// Lower case, without spaces at the ends, one space between words: what is
    /// counted as the same search.
    package static func normalized(_ text: String) -> String {
        String(
            text.lowercased().split { $0.isWhitespace || $0.isNewline }.joined(separator: " ")
                .unicodeScalars.prefix(maximumCharacters).map(Character.init))
    }

    /// Words that say nothing about which service is meant.
    static let noise: Set<String> = [
        "a", "an", "and", "as", "at", "by", "class", "classes", "coach", "for", "i", "in", "instructor",
        "instructors", "learn", "lesson", "lessons", "me", "my", "near", "of", "on", "or", "teacher",
        "teachers", "the", "to", "tutor", "tutoring", "want", "with",
    ]

    /// The letters and digits of the text, word by word.
    static func words(_ text: String) -> [String] {
        normalized(text).split { !$0.isLetter && !$0.isNumber }.map(String.init)
    }

    /// The words to search by: without repetitions, noise and single letters, at most eight. When
    /// nothing else is left, noise counts.
    package static func tokens(_ text: String) -> [String] {
        var seen: Set<String> = []
        let all = words(text).filter { $0.unicodeScalars.count > 1 && seen.insert($0).inserted }
        let meant = all.filter { !noise.contains($0) }
        return Array((meant.isEmpty ? all : meant).prefix(maximumWords))
    }

    /// The end of the texts that begin with `prefix`, by code points.
    static func end(of prefix: String) -> String { prefix + "\u{10FFFF}" }
}
