import JSON
import Testing

@Suite struct ParserTests {
    private func failure(_ text: String, depth: Int = 64) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONValue(parsing: text, maximumDepth: depth)
            return nil
        } catch {
            return error
        }
    }

    private func failure(_ bytes: [UInt8]) -> JSONError? {
        do throws(JSONError) {
            _ = try JSONValue(parsing: bytes)
            return nil
        } catch {
            return error
        }
    }

    static let valid: [(String, JSONValue)] = [
        ("null", JSONValue.null), (" true ", true), ("false", false), ("0", 0), ("-0", 0), ("-17", -17),
        ("9223372036854775807", .int(.max)), ("-9223372036854775808", .int(.min)), ("1.5", 1.5),
        ("-0.25e2", -25.0), ("1E3", 1000.0), ("9223372036854775808", .double(9_223_372_036_854_775_808)),
        ("0.1", 0.1), ("5e-324", .double(.leastNonzeroMagnitude)), ("1e-999", .double(0)),
        ("1.7976931348623157e308", .double(.greatestFiniteMagnitude)),
        ("123456789012345678901234567890", .double(123456789012345677877719597056)),
        ("\"\"", ""), ("\"a\\n\\u0041\\\\\\/\\\"\\b\\f\\r\\t\"", "a\nA\\/\"\u{8}\u{c}\r\t"),
        ("\"\\ud83d\\ude00 é 😀\"", "😀 é 😀"), ("\"\\u0000\"", "\u{0}"), ("[]", []), ("{}", [:]),
        ("[1,[2,{\"a\":[]}]]", [1, [2, ["a": []]]]),
        ("{\"b\":1,\"a\":{\"\":null}}", ["b": 1, "a": ["": nil]]),
    ]

    @Test(arguments: valid)
    func aValidDocumentIsRead(text: String, expected: JSONValue) throws {
        #expect(try JSONValue(parsing: text) == expected)
    }

    static let invalid: [(String, JSONError.Kind, Int)] = [
        ("", JSONError.Kind.unexpectedEnd, 0), ("  ", .unexpectedEnd, 2), ("nul", .unexpectedEnd, 3),
        ("nulL", .unexpectedByte, 0), ("NaN", .unexpectedByte, 0), ("Infinity", .unexpectedByte, 0),
        ("-", .unexpectedEnd, 1), ("-x", .invalidNumber, 0), ("+1", .unexpectedByte, 0),
        ("01", .invalidNumber, 0), ("[-012]", .invalidNumber, 1), ("1.", .unexpectedEnd, 2),
        ("1.x", .invalidNumber, 0), ("1e", .unexpectedEnd, 2), ("1e+", .unexpectedEnd, 3),
        ("1ex", .invalidNumber, 0), (".5", .unexpectedByte, 0), ("[1e999]", .numberOutOfRange, 1),
        ("-1e999", .numberOutOfRange, 0), ("[1,]", .unexpectedByte, 3), ("[1 2]", .unexpectedByte, 3),
        ("[1", .unexpectedEnd, 2), ("[", .unexpectedEnd, 1), ("{\"a\":1,}", .unexpectedByte, 7),
        ("{\"a\" 1}", .unexpectedByte, 5), ("{a:1}", .unexpectedByte, 1), ("{\"a\":}", .unexpectedByte, 5),
        ("{\"a\":1", .unexpectedEnd, 6), ("{\"a\"", .unexpectedEnd, 4), ("{", .unexpectedEnd, 1),
        ("1 2", .trailingBytes, 2), ("{}x", .trailingBytes, 2), ("\"abc", .unexpectedEnd, 4),
        ("\"\\", .unexpectedEnd, 2), ("\"a\\x\"", .invalidEscape, 2), ("\"\\u12g4\"", .invalidEscape, 1),
        ("\"\\u12", .unexpectedEnd, 5), ("\"\\ud800\"", .loneSurrogate, 1),
        ("\"\\ud800\\n\"", .loneSurrogate, 1), ("\"\\udc00\"", .loneSurrogate, 1),
        ("\"\\ud800\\ud800\"", .loneSurrogate, 1), ("\"a\u{1}b\"", .controlCharacter, 2),
        ("\"a\nb\"", .controlCharacter, 2), ("\u{FEFF}1", .unexpectedByte, 0),
        ("{\"a\":1,\"b\":2,\"a\":3}", .duplicateKey, 13), ("// x\n1", .unexpectedByte, 0),
        ("'a'", .unexpectedByte, 0), ("\u{c}1", .unexpectedByte, 0),
    ]

    @Test(arguments: invalid)
    func anInvalidDocumentIsRefusedWithItsOffset(text: String, kind: JSONError.Kind, offset: Int) {
        let error = failure(text)
        #expect(error?.kind == kind)
        #expect(error?.offset == offset, "\(text)")
    }

    static let notUTF8: [([UInt8], Int)] = [
        ([0x22, 0x61, 0xFF, 0x22], 2), ([0x22, 0xC3, 0x22], 1), ([0x22, 0xC0, 0x80, 0x22], 1),
        ([0x22, 0xED, 0xA0, 0x80, 0x22], 1), ([0x22, 0x61, 0x62, 0xF4, 0x90, 0x80, 0x80, 0x22], 3),
        ([0x22, 0x5C, 0x6E, 0xE2, 0x82, 0x22], 3),
    ]

    @Test(arguments: notUTF8)
    func bytesThatAreNotUTF8AreRefused(bytes: [UInt8], offset: Int) {
        let error = failure(bytes)
        #expect(error?.kind == .invalidUTF8)
        #expect(error?.offset == offset)
    }

    @Test func theDuplicateMemberIsNamed() {
        #expect(failure("{\"seen\":1,\"seen\":1}")?.message.contains("'seen'") == true)
    }

    @Test func aDuplicateIsFoundInALargeObjectToo() {
        let members = (0..<40).map { "\"key\($0)\":\($0)" } + ["\"key7\":0"]
        #expect(failure("{\(members.joined(separator: ","))}")?.kind == .duplicateKey)
    }

    @Test func nestingIsLimited() throws {
        let deep = String(repeating: "[", count: 64) + String(repeating: "]", count: 64)
        _ = try JSONValue(parsing: deep)
        let tooDeep = "[" + deep + "]"
        #expect(failure(tooDeep)?.kind == .tooDeep)
        #expect(failure(tooDeep)?.offset == 64)
        #expect(failure("{\"a\":{\"b\":{}}}", depth: 2)?.offset == 10)
        _ = try JSONValue(parsing: tooDeep, maximumDepth: 65)
    }

    @Test func sizeIsLimited() {
        #expect(throws: JSONError.self) { try JSONValue(parsing: "[1,2]", maximumBytes: 4) }
        #expect(throws: Never.self) { try JSONValue(parsing: "[1,2]", maximumBytes: 5) }
    }

    @Test func anyByteSequenceIsAccepted() throws {
        let lazy = Array("[1, 2]".utf8).lazy.map { $0 }
        #expect(try JSONValue(parsing: lazy) == [1, 2])
        let slice = Array("xx[1,2]yy".utf8)[2..<7]
        #expect(try JSONValue(parsing: slice) == [1, 2])
    }

    @Test func shortDecimalsAreRoundedCorrectly() throws {
        for text in [
            "0.3", "0.1", "123.456", "2.675", "1.1", "99999999999999.9", "0.000001", "4503599627370497.5",
        ] {
            #expect(try JSONValue(parsing: text).doubleValue == Double(text), "\(text)")
            #expect(try JSONValue(parsing: "-\(text)").doubleValue == Double("-\(text)"), "\(text)")
        }
    }
}
