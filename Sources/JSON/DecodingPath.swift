/// Where in a tree the decoder is. Built by linking, spelled only for errors.
indirect enum DecodingPath {
    case root
    case member(String, of: DecodingPath)
    case element(Int, of: DecodingPath)

    /// The path in wire names: `items[0].name`.
    var text: String {
        switch self {
        case .root: return ""
        case .member(let name, let parent):
            let before = parent.text
            return before.isEmpty ? name : "\(before).\(name)"
        case .element(let index, let parent): return "\(parent.text)[\(index)]"
        }
    }

    var codingPath: [any CodingKey] {
        switch self {
        case .root: []
        case .member(let name, let parent): parent.codingPath + [VerbatimKey(name)]
        case .element(let index, let parent): parent.codingPath + [IndexKey(index)]
        }
    }

    func mismatch(_ wanted: String, _ found: JSONValue) -> JSONError {
        JSONError(.mismatch, "expected \(wanted), found \(found.typeName)", path: text)
    }
}

/// An array position as a coding key.
struct IndexKey: CodingKey {
    let index: Int
    init(_ index: Int) { self.index = index }
    init?(stringValue: String) { nil }
    init?(intValue: Int) { index = intValue }
    var stringValue: String { index.description }
    var intValue: Int? { index }
}
