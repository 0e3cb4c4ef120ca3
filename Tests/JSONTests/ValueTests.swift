import JSON
import Testing

@Suite struct ValueTests {
    @Test func membersKeepTheirOrder() throws {
        let text = #"{"z":1,"a":[true,null],"m":{"y":"x","b":-2.5}}"#
        #expect(try JSONValue(parsing: text).text == text)
    }

    @Test func sortedKeysMakeTheFormCanonical() throws {
        let value = try JSONValue(parsing: #"{"b":{"d":1,"c":2},"a":[{"z":1,"y":2}]}"#)
        let sorted = String(decoding: value.encoded(sortedKeys: true), as: UTF8.self)
        #expect(sorted == #"{"a":[{"y":2,"z":1}],"b":{"c":2,"d":1}}"#)
    }

    @Test func prettyOutputIndentsByTwo() {
        let value: JSONValue = ["a": [1, 2], "b": [:], "c": []]
        let expected = """
            {
              "a": [
                1,
                2
              ],
              "b": {},
              "c": []
            }
            """
        #expect(String(decoding: value.encoded(pretty: true), as: UTF8.self) == expected)
    }

    @Test func equalityIgnoresMemberOrder() {
        let left: JSONValue = ["a": 1, "b": 2]
        let right: JSONValue = ["b": 2, "a": 1]
        #expect(left == right)
        #expect(left.hashValue == right.hashValue)
        #expect(left != ["a": 1])
        #expect(left != ["a": 1, "b": 3])
        #expect(JSONValue.int(1) != JSONValue.double(1))
    }

    @Test func accessorsAnswerOnlyForTheirType() {
        let value: JSONValue = ["s": "x", "i": 3, "d": 2.5, "w": 4.0, "b": true, "a": [1], "n": nil]
        #expect(value["s"]?.stringValue == "x")
        #expect(value["i"]?.intValue == 3)
        #expect(value["i"]?.doubleValue == 3)
        #expect(value["d"]?.intValue == nil)
        #expect(value["w"]?.intValue == 4)
        #expect(value["b"]?.boolValue == true)
        #expect(value["a"]?[0] == 1)
        #expect(value["a"]?[1] == nil)
        #expect(value["n"]?.isNull == true)
        #expect(value["missing"] == nil)
        #expect(value["s"]?["x"] == nil)
        #expect(
            value.objectValue?.values.map(\.typeName)
                == ["string", "integer", "number", "number", "boolean", "array", "null"])
    }

    @Test(arguments: [3, 13, 40]) func anObjectIsAnOrderedDictionary(size: Int) {
        var object = JSONObject()
        for number in 0..<size { object["k\(number)"] = .int(number) }
        object["k1"] = "changed"
        #expect(object.count == size)
        #expect(object.keys == (0..<size).map { "k\($0)" })
        #expect(object["k1"] == "changed")
        #expect(object.removeValue(forKey: "k0") == 0)
        #expect(object["k0"] == nil)
        #expect(object["k\(size - 1)"] == .int(size - 1))
        #expect(object.removeValue(forKey: "absent") == nil)
        object["k1"] = nil
        #expect(!object.contains("k1"))
        object["k2"] = .null
        #expect(object.contains("k2"))
        #expect(object.merging(["k2": 5, "new": 6])["k2"] == 5)
        #expect(object.merging(["k2": 5, "new": 6]).keys.last == "new")
    }

    @Test func stringsAreEscapedMinimally() {
        let value: JSONValue = .string("\"\\/\u{8}\t\n\u{c}\r\u{1}\u{1f}\u{7f}é😀")
        #expect(value.text == "\"\\\"\\\\/\\b\\t\\n\\f\\r\\u0001\\u001f\u{7f}é😀\"")
    }

    @Test func nonFiniteNumbersBecomeNull() {
        #expect(
            JSONValue.array([.double(.nan), .double(.infinity), .double(-.infinity)]).text
                == "[null,null,null]")
    }

    @Test func numbersReadBackAsThemselves() {
        #expect(
            JSONValue.array([0, -5, 10, .int(.min), .int(.max), 1.0, 1e21, .double(.leastNonzeroMagnitude)])
                .text
                == "[0,-5,10,-9223372036854775808,9223372036854775807,1.0,1e+21,5e-324]")
    }

    @Test func anEncodedDocumentBecomesAString() throws {
        let document: JSONValue = ["a\"b": "line\nbreak \\ é", "n": [1, 2.5, nil, true]]
        var writer = JSONWriter()
        writer.beginObject()
        writer.key("text")
        writer.stringContents(ofEncodedJSON: document.encoded())
        writer.key("structuredContent")
        writer.raw(document.encoded())
        writer.key("pretty")
        writer.stringContents(ofEncodedJSON: document.encoded(pretty: true))
        writer.endObject()
        let parsed = try JSONValue(parsing: writer.bytes)
        #expect(parsed["text"] == .string(document.text))
        #expect(parsed["structuredContent"] == document)
        #expect(try JSONValue(parsing: parsed["pretty"]?.stringValue ?? "") == document)
    }

    @Test func splicedMembersAreSeparated() {
        var writer = JSONWriter()
        writer.beginObject()
        writer.rawMembers(Array(#""a":1,"b":2"#.utf8))
        writer.rawMembers([])
        writer.key("c")
        writer.bool(false)
        writer.endObject()
        #expect(String(decoding: writer.bytes, as: UTF8.self) == #"{"a":1,"b":2,"c":false}"#)
    }

    @Test func randomTreesSurviveTheRoundTrip() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix(state: seed)
        for _ in 0..<400 {
            let value = randomValue(&random, depth: 0)
            let bytes = value.encoded()
            #expect(try JSONValue(parsing: bytes) == value, "seed \(seed)")
            #expect(try JSONValue(parsing: bytes).encoded() == bytes, "seed \(seed)")
            #expect(try JSONValue(parsing: value.encoded(pretty: true)) == value, "seed \(seed)")
            #expect(try JSONCoding.decode(JSONValue.self, from: bytes) == value, "seed \(seed)")
            #expect(
                try JSONCoding.encode([value]) == Array("[".utf8) + bytes + Array("]".utf8), "seed \(seed)")
        }
    }

    @Test func damagedDocumentsNeverCrashAndNeverPassSilently() throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = SplitMix(state: seed)
        for _ in 0..<400 {
            var bytes = randomValue(&random, depth: 0).encoded()
            let position = Int(random.next() % UInt64(bytes.count))
            bytes[position] = UInt8(truncatingIfNeeded: random.next())
            guard let value = try? JSONValue(parsing: bytes) else { continue }
            #expect(try JSONValue(parsing: value.encoded()) == value, "seed \(seed)")
        }
    }
}

/// A small generator whose sequence follows from its seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}

private func randomValue(_ random: inout SplitMix, depth: Int) -> JSONValue {
    switch random.next() % (depth > 4 ? 5 : 7) {
    case 0: return .null
    case 1: return .bool(random.next() % 2 == 0)
    case 2: return .int(Int(truncatingIfNeeded: random.next() >> (random.next() % 64)))
    case 3:
        let value = Double(bitPattern: random.next())
        return .double(value.isFinite ? value : 0.5)
    case 4: return .string(randomString(&random))
    case 5: return .array((0..<Int(random.next() % 6)).map { _ in randomValue(&random, depth: depth + 1) })
    default:
        var object = JSONObject()
        for _ in 0..<Int(random.next() % 18) {
            object[randomString(&random)] = randomValue(&random, depth: depth + 1)
        }
        return .object(object)
    }
}

private func randomString(_ random: inout SplitMix) -> String {
    var text = ""
    for _ in 0..<Int(random.next() % 24) {
        let code: UInt32 =
            switch random.next() % 4 {
            case 0: UInt32(random.next() % 0x80)
            case 1: UInt32(random.next() % 0x800)
            case 2: UInt32(random.next() % 0x11_0000)
            default: UInt32(97 + random.next() % 26)
            }
        if let scalar = Unicode.Scalar(code) { text.unicodeScalars.append(scalar) }
    }
    return text
}
