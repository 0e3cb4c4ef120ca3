import JSON
import Kernel
import PlatformSupport
import Testing

@Suite struct UntrustedTextTests {
    @Test(arguments: [
        "plain text, with punctuation!", "two\nlines\tand a tab",
        "Zoë, naïve, Ελληνικά, русский, עברית, العربية",
        "e\u{301} a\u{308}\u{304}", "日本語 中文 한국어 ｶﾀｶﾅ", "हिन्दी தமிழ் ไทย", "😀 👍🏽 ❤️ ☎︎ 1️⃣ #️⃣ 🇺🇸",
        "👨‍👩‍👧‍👦 🏳️‍🌈 👩🏽‍❤️‍💋‍👨🏿 🧑‍⚕️ 👁️‍🗨️",
        "&amp; &lt;b&gt; &#65; &#x1F600; &notanentity;", "© ® ™ … “quotes” — €",
        "𝒳 𠜎", "",
    ])
    func whatIsVisibleIsKept(text: String) {
        #expect(Array(UntrustedText.cleaned(text).unicodeScalars) == Array(text.unicodeScalars))
    }

    @Test(
        arguments: [
            ("a\u{0}b\u{7}c\u{1B}[31md\u{7F}\u{9B}e", "abc[31mde"), ("a\r\nb\rc", "a\nb\nc"),
            ("a\u{2028}b\u{85}c", "a\nb\nc"),
            ("abc\u{202E}fed\u{202C}", "abcfed"), ("a\u{2066}b\u{2069}\u{200E}\u{200F}\u{61C}c", "abc"),
            ("pass\u{200B}word\u{200C}\u{2060}\u{FEFF}\u{AD}\u{180E}", "password"),
            ("hi\u{E0048}\u{E0049}\u{E007F}\u{E0001}", "hi"), ("🏴\u{E0067}\u{E0062}\u{E007F}", "🏴"),
            ("a\u{FE0F}\u{FE01}\u{E0100}\u{E01EF}b", "ab"),
            ("😀\u{FE0F}\u{FE0F}\u{FE00}\u{E0150}", "😀\u{FE0F}"),
            ("葛\u{E0100}城", "葛城"), ("a\u{200D}b 1\u{200D}2", "ab 12"), ("😀\u{200D}", "😀"),
            ("😀\u{200D}x", "😀x"),
            ("\u{200D}😀", "😀"), ("👨\u{200D}\u{200D}\u{200B}👩", "👨\u{200D}👩"), ("1\u{FE0F} 2", "1 2"),
            ("1\u{FE0F}\u{200B}\u{20E3}", "1\u{FE0F}\u{20E3}"), ("x\u{E000}\u{F8FF}\u{10FFFD}y", "xy"),
            ("\u{115F}\u{3164}\u{FFA0}z", "z"),
            ("a\u{FFF9}b\u{FFFA}c\u{FFFB}", "abc"), ("a\u{2062}\u{206A}b", "ab"), ("\u{1D173}a", "a"),
            ("a&#x200B;b&#8238;c&zwj;d&ZeroWidthSpace;e&shy;", "abcde"), ("a&#xE0041;&#0;&#xfe0f;b", "ab"),
            ("&#x20&#x200B;2E;x", "x"), ("&#x20\u{200B}2E;x", "x"), ("&zw&zwj;j;x", "x"),
        ] as [(String, String)])
    func whatIsInvisibleIsRemoved(text: String, expected: String) {
        #expect(Array(UntrustedText.cleaned(text).unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test(arguments: [0xFFFE, 0xFFFF, 0xFDD0, 0x1FFFF, 0x10FFFE] as [UInt32])
    func aNoncharacterIsRemoved(value: UInt32) throws {
        var text = "x"
        text.unicodeScalars.append(try #require(Unicode.Scalar(value)))
        #expect(UntrustedText.cleaned(text + "y") == "xy")
    }

    @Test func moreMarksThanAnyScriptNeedsAreDropped() {
        let tower = "a" + String(repeating: "\u{301}", count: 500) + "b"
        #expect(UntrustedText.cleaned(tower).unicodeScalars.count == 32)
        let split = "a" + String(repeating: "\u{301}\u{0}\u{200B}&zwj;", count: 500) + "b"
        #expect(UntrustedText.cleaned(split).unicodeScalars.count == 32)
    }

    @Test func aChainOfJoinedEmojiEnds() {
        let chain = Array(repeating: "👨", count: 50).joined(separator: "\u{200D}")
        let cleaned = UntrustedText.cleaned(chain)
        #expect(cleaned.count >= 10)
        #expect(cleaned.unicodeScalars.filter { $0 == "👨" }.count == 50)
    }

    @Test func aLongTextIsCutAtACharacterAndSaysSo() {
        #expect(UntrustedText.cleaned("abcdef", maximumCharacters: 6) == "abcdef")
        #expect(UntrustedText.cleaned("abcdefg", maximumCharacters: 6) == "abcde…")
        #expect(UntrustedText.cleaned("👨‍👩‍👧‍👦👨‍👩‍👧‍👦👨‍👩‍👧‍👦", maximumCharacters: 3).count == 3)
        #expect(UntrustedText.cleaned("👨‍👩‍👧‍👦é👍🏽日", maximumCharacters: 3) == "👨‍👩‍👧‍👦é…")
        #expect(UntrustedText.cleaned("日本語", maximumCharacters: 3) == "日本語")
        #expect(UntrustedText.cleaned("日本語", maximumCharacters: 2) == "日…")
        #expect(UntrustedText.cleaned("abc", maximumCharacters: 1) == "…")
        #expect(UntrustedText.cleaned("abc", maximumCharacters: 0) == "")
        #expect(UntrustedText.cleaned("\u{200B}\u{200B}abc\u{200B}", maximumCharacters: 3) == "abc")
    }

    @Test func oneCharacterCannotHideAMegabyte() {
        // Hangul leading consonants join without limit into one character.
        let endless = String(repeating: "\u{1100}", count: 300_000)
        #expect(endless.count == 1)
        let cleaned = UntrustedText.cleaned(endless, maximumCharacters: 10)
        #expect(cleaned.utf8.count < 200)
        #expect(cleaned.hasSuffix("…"))
    }

    @Test func everyStringOfAValueIsCleanedKeysToo() {
        let value: JSONValue = ["a\u{200B}": ["x\u{202E}y", 1, nil, true, ["k": "long text"]], "b": 1.5]
        #expect(
            UntrustedText.cleaned(value, maximumCharacters: 5) == [
                "a": ["xy", 1, nil, true, ["k": "long…"]], "b": 1.5,
            ])
    }

    @Test func cleanTextStaysAsItIsAndNothingInvisibleSurvives() {
        let seed = SeededGenerator.randomSeed()
        var random = SeededGenerator(seed: seed)
        let pool: [String] = [
            "a", "1", "#", "&", ";", "&#x200B", "&zw", "j;", " ", "\n", "\r", "é", "\u{301}", "日", "😀", "👨",
            "🏽", "❤",
            "\u{200D}", "\u{200C}", "\u{FE0F}", "\u{FE0E}", "\u{FE01}", "\u{20E3}", "\u{202E}", "\u{E0041}",
            "\u{E0101}", "\u{0}", "🇺", "\u{AD}", "\u{1100}", "\u{E123}",
        ]
        for round in 0..<5_000 {
            let text = (0..<20).map { _ in pool.randomElement(using: &random) ?? "a" }.joined()
            let once = UntrustedText.cleaned(text)
            let comment: Comment = "seed \(seed), round \(round), \(text.debugDescription)"
            #expect(Array(UntrustedText.cleaned(once).utf8) == Array(once.utf8), comment)
            var previous: Unicode.Scalar = "a"
            for scalar in once.unicodeScalars {
                let follows = previous.properties.isEmoji || previous == "\u{FE0F}" || previous == "\u{FE0E}"
                let isJoin = ["\u{200D}", "\u{FE0F}", "\u{FE0E}"].contains(scalar) && follows
                #expect(isJoin || !scalar.properties.isDefaultIgnorableCodePoint, comment)
                #expect(scalar == "\n" || scalar.properties.generalCategory != .control, comment)
                previous = scalar
            }
            let short = UntrustedText.cleaned(text, maximumCharacters: 7)
            #expect(short.count <= 7, comment)
            #expect(short == once || short.hasSuffix("…"), comment)
        }
    }
}
