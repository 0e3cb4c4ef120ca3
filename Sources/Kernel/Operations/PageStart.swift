import Storage

/// Where a page of a list begins, and what its rows must be of.
///
/// A cursor is the last id that was shown and the start of the first page's
/// window. It is bound to the filters and to the window as it was asked for,
/// so that it cannot silently continue another question; and a window that
/// moves with the clock stays where it was on the first page, so that a slow
/// reader misses nothing.
package struct PageStart: Sendable {
    /// Rows before this one; nil for the first page.
    package let after: ULID?
    /// The window of all pages; nil for a list without one.
    package let window: TimeWindow?
    private let key: String

    /// - Parameters:
    ///   - filters: the list's filters as one text.
    ///   - window: what was asked for, at this moment.
    /// - Throws: ``Failure/Code/invalidInput`` naming what is wrong with the cursor.
    package init(_ cursor: String?, filters: String, window: TimeWindow?) throws {
        key = filters + "\u{1E}" + (window?.asked ?? "")
        guard let cursor else {
            (after, self.window) = (nil, window)
            return
        }
        let (id, start, fingerprint) = try Self.parts(cursor)
        guard fingerprint == Self.fingerprint(key, start) else {
            throw Failure.invalid(
                [.init("cursor", "belongs to a list with other filters or another time window")],
                hint: "Keep all other arguments as they were, or leave the cursor out.")
        }
        after = id
        if let start { self.window = window?.starting(at: start) } else { self.window = window }
    }

    /// The cursor that goes on after a row.
    func cursor(after id: ULID) -> String {
        let start = window?.start
        let text = "\(id)\(Self.fingerprint(key, start))\(start.map { "\($0.microseconds)" } ?? "")"
        return Secrets.base64URL(Array(text.utf8))
    }

    private static let fingerprintLength = 8

    private static func fingerprint(_ key: String, _ start: Instant?) -> String {
        let text = key + "\u{1E}" + (start.map { "\($0.microseconds)" } ?? "")
        return String(Secrets.hash(text).prefix(fingerprintLength))
    }

    private static func parts(_ text: String) throws -> (ULID, Instant?, String) {
        let bytes = Secrets.bytes(base64URL: text) ?? []
        let rest = bytes.dropFirst(ULID.textLength)
        let start = Int64(String(decoding: rest.dropFirst(fingerprintLength), as: UTF8.self))
        guard let id = ULID(String(decoding: bytes.prefix(ULID.textLength), as: UTF8.self)),
            rest.count >= fingerprintLength, (rest.count > fingerprintLength) == (start != nil)
        else {
            throw Failure.invalid(
                [.init("cursor", "is not a cursor")],
                hint: "Pass next_cursor of the page before, unchanged, or nothing.")
        }
        let fingerprint = String(decoding: rest.prefix(fingerprintLength), as: UTF8.self)
        return (id, start.map { Instant(microseconds: $0) }, fingerprint)
    }
}
