import JSON
import Testing

@Suite struct CodingTests {
    enum State: String, Codable { case open, closed }

    struct Inner: Codable, Equatable {
        var eventID: String
        var last24h: Int
        var isDone: Bool
    }

    struct Outer: Codable, Equatable {
        var zebra: String
        var processingDurationMS: Double
        var actorIP: String?
        var items: [Inner]
        var counts: [String: Int]
        var state: State
        var nothing: Int?
        var inner: Inner?
        var list: [String?]
        var payload: RawJSON
        var tree: JSONValue
        var object: JSONObject
        var small: UInt8
        var big: UInt64
        var ratio: Float
    }

    private let sample = Outer(
        zebra: "z", processingDurationMS: 1.5, actorIP: nil,
        items: [
            Inner(eventID: "e1", last24h: 3, isDone: true), Inner(eventID: "e2", last24h: 0, isDone: false),
        ],
        counts: ["fooBar": 1], state: .closed, nothing: nil, inner: nil, list: ["a", nil],
        payload: RawJSON(unchecked: Array(#"{"camelCase": [1,  2]}"#.utf8)), tree: ["aB": nil],
        object: ["cD": 1],
        small: 255, big: 1 << 63, ratio: 0.1)

    private func text(_ value: some Encodable) throws -> String {
        String(decoding: try JSONCoding.encode(value), as: UTF8.self)
    }

    @Test func aStructIsWrittenInDeclarationOrderWithNulls() throws {
        #expect(
            try text(sample) == #"{"zebra":"z","processing_duration_ms":1.5,"actor_ip":null,"#
                + #""items":[{"event_id":"e1","last24h":3,"is_done":true},"#
                + #"{"event_id":"e2","last24h":0,"is_done":false}],"counts":{"fooBar":1},"state":"closed","#
                + #""nothing":null,"inner":null,"list":["a",null],"payload":{"camelCase": [1,  2]},"#
                + #""tree":{"aB":null},"object":{"cD":1},"small":255,"big":9223372036854775808,"ratio":0.1}"#
        )
    }

    @Test func whatWasEncodedDecodesToTheSame() throws {
        let bytes = try JSONCoding.encode(sample)
        var decoded = try JSONCoding.decode(Outer.self, from: bytes)
        // The payload's spacing is not kept by a tree.
        #expect(decoded.payload.text == #"{"camelCase":[1,2]}"#)
        decoded.payload = sample.payload
        #expect(decoded.big == 1 << 63)
        #expect(decoded == sample)
        #expect(try JSONCoding.value(sample)["items"]?[1]?["event_id"] == "e2")
    }

    struct Names: Codable {
        enum CodingKeys: String, CodingKey { case plain, startTimeUnixNano, renamed = "re-named" }
        var plain = 1
        var startTimeUnixNano = 2
        var renamed = 3
    }

    struct Underscored: Codable {
        enum CodingKeys: CodingKey { case http_Status, userIDs, sha256Hex, HTTPServer, last24h, aB }
        var http_Status = 1
        var userIDs = 2
        var sha256Hex = 3
        var HTTPServer = 4
        var last24h = 5
        var aB = 6
    }

    @Test func handWrittenNamesAreKept() throws {
        #expect(try text(Names()) == #"{"plain":1,"startTimeUnixNano":2,"re-named":3}"#)
        #expect(
            try text(Underscored())
                == #"{"http_Status":1,"user_ids":2,"sha256_hex":3,"http_server":4,"last24h":5,"a_b":6}"#)
        #expect(
            try JSONCoding.decode(Underscored.self, from: try JSONCoding.encode(Underscored())).userIDs == 2
        )
        #expect(try JSONCoding.decode(Names.self, from: try JSONCoding.encode(Names())).renamed == 3)
    }

    struct Dynamic: Encodable {
        struct Key: CodingKey {
            let stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }
        func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: Key.self)
            try container.encode(1, forKey: Key(stringValue: "a\"B\n"))
            try container.encode(2, forKey: Key(stringValue: ""))
        }
    }

    @Test func namesThatNeedEscapingAreEscaped() throws {
        #expect(try JSONCoding.value(Dynamic()) == ["a\"_b\n": 1, "": 2])
        #expect(try JSONCoding.value(["a\"b": ["\u{1}": 1]]) == ["a\"b": ["\u{1}": 1]])
    }

    enum Shape: Codable, Equatable {
        case circle(radiusMM: Double)
        case emptyThing
        case pairOf(String, Int)
    }

    @Test func enumsWithValuesRoundTrip() throws {
        for shape in [Shape.circle(radiusMM: 2), .emptyThing, .pairOf("a", 1)] {
            #expect(try JSONCoding.decode(Shape.self, from: JSONCoding.encode(shape)) == shape)
        }
        #expect(try text(Shape.circle(radiusMM: 2)) == #"{"circle":{"radius_mm":2.0}}"#)
        #expect(try text(Shape.emptyThing) == #"{"empty_thing":{}}"#)
    }

    struct Flat: Encodable {
        struct Head: Encodable { var kind = "k" }
        struct Silent: Encodable { func encode(to encoder: any Encoder) {} }
        enum CodingKeys: CodingKey { case nested, list, after, silent }
        enum Deep: CodingKey { case innerValue, more }
        func encode(to encoder: any Encoder) throws {
            try Head().encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            var nested = container.nestedContainer(keyedBy: Deep.self, forKey: .nested)
            try nested.encode(1, forKey: .innerValue)
            var list = container.nestedUnkeyedContainer(forKey: .list)
            try list.encode("x")
            var again = list.nestedUnkeyedContainer()
            try again.encode(2)
            try list.encode("y")
            try container.encode(Silent(), forKey: .silent)
            try container.encode(true, forKey: .after)
            #expect(throws: (any Error).self) { try nested.encode(2, forKey: .more) }
        }
    }

    @Test func nestedContainersCloseWhenTheirParentGoesOn() throws {
        let nested = #""nested":{"inner_value":1},"list":["x",[2],"y"]"#
        #expect(try text([Flat()]) == #"[{"kind":"k",\#(nested),"silent":null,"after":true}]"#)
    }

    class Base: Codable { var one = 1 }
    final class Derived: Base {
        enum CodingKeys: CodingKey { case two }
        var two = 2
        override init() { super.init() }
        required init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            two = try container.decode(Int.self, forKey: .two)
            try super.init(from: container.superDecoder())
        }
        override func encode(to encoder: any Encoder) throws {
            var container = encoder.container(keyedBy: CodingKeys.self)
            try super.encode(to: container.superEncoder())
            try container.encode(two, forKey: .two)
        }
    }

    @Test func superclassesHaveTheirOwnMember() throws {
        #expect(try text(Derived()) == #"{"super":{"one":1},"two":2}"#)
        #expect(try JSONCoding.decode(Derived.self, from: JSONCoding.encode(Derived())).one == 1)
    }

    @Test(arguments: [
        (
            #"{"items":[{"event_id":"a","last24h":1,"is_done":true},{"event_id":7}]}"#,
            "items[1].event_id: expected string, found integer"
        ),
        (#"{"items":[{"event_id":"a"}]}"#, "items[0].last24h: is required"),
        (
            #"{"items":[{"event_id":"a","last24h":1.5}]}"#,
            "items[0].last24h: expected integer, found number"
        ),
        (#"{"items":{}}"#, "items: expected array, found object"),
        (#"[]"#, "expected object, found array"), (#"{}"#, "items: is required"),
        (#"{"items":[],"level":300}"#, "level: the number does not fit UInt8"),
        (
            #"{"items":[],"level":3,"state":"x"}"#,
            "state: Cannot initialize State from invalid String value x"
        ),
    ])
    func aDecodingErrorNamesThePath(text: String, expected: String) throws {
        struct Page: Decodable {
            var items: [Inner]
            var level: UInt8
            var state: State
        }
        let value = try JSONValue(parsing: text)
        let error = #expect(throws: JSONError.self) { try JSONCoding.decode(Page.self, from: value) }
        #expect(error?.description == expected)
    }

    @Test func integralDoublesDecodeAsIntegersAndUnknownMembersAreIgnored() throws {
        let inner = try JSONCoding.decode(
            Inner.self, from: ["event_id": "a", "last24h": 5.0, "is_done": false, "extra": [1]])
        #expect(inner.last24h == 5)
    }

    @Test func absentAndNullOptionalsAreNil() throws {
        struct Two: Codable { var a: Int?; var b: String? }
        let value = try JSONCoding.decode(Two.self, from: ["a": nil])
        #expect(value.a == nil && value.b == nil)
        #expect(try text(Two()) == #"{"a":null,"b":null}"#)
    }
}
