/// Makes states that travel through the client tamper-evident.
///
/// A sealed state opens only for the caller, method, name and arguments it was
/// made for, and only for a while (2026-07-28, MRTR). It may be opened more
/// than once: single use is the host's to enforce. The same key marks the
/// session ids of legacy clients.
package struct StateSeal: Sendable {
    package typealias Sign = @Sendable ([UInt8]) -> [UInt8]

    /// What a state is bound to.
    struct Binding {
        var caller: String
        var method: String
        var name: String
        /// Canonical encoding.
        var arguments: [UInt8]
    }

    private let sign: Sign
    private let now: @Sendable () -> Int
    private let lifetime: Int

    /// - Parameters:
    ///   - sign: A MAC under a secret key, such as HMAC-SHA256.
    ///   - now: Seconds since 1970.
    ///   - lifetime: Seconds a state stays valid.
    package init(lifetime: Int = 600, now: @escaping @Sendable () -> Int, sign: @escaping Sign) {
        self.sign = sign
        self.now = now
        self.lifetime = lifetime
    }

    func seal(_ state: [UInt8], _ binding: Binding) -> String {
        let expiry = Self.bytes(UInt64(clamping: now() + lifetime))
        let mac = sign(Self.message(expiry, state, binding))
        return Self.text(expiry + state, mac)
    }

    /// Nil for a state that is not ours, not for this request, or too old.
    func open(_ sealed: String, _ binding: Binding) -> [UInt8]? {
        guard let (payload, mac) = Self.parts(sealed), payload.count >= 8 else { return nil }
        let expiry = Array(payload[..<8])
        let state = Array(payload[8...])
        guard Self.areEqual(mac, sign(Self.message(expiry, state, binding))) else { return nil }
        let expires = expiry.reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        guard now() >= 0, UInt64(now()) < expires else { return nil }
        return state
    }

    /// Marks what a client shall give back as given to this caller; it never expires.
    func mark(_ payload: [UInt8], for caller: String) -> String {
        Self.text(payload, sign(Self.message(payload, caller)))
    }

    /// Nil for what was not marked for this caller.
    func unmark(_ text: String, for caller: String) -> [UInt8]? {
        guard let (payload, mac) = Self.parts(text),
            Self.areEqual(mac, sign(Self.message(payload, caller)))
        else { return nil }
        return payload
    }

    private static func text(_ payload: [UInt8], _ mac: [UInt8]) -> String {
        "\(Base64.encode(payload, .url)).\(Base64.encode(mac, .url))"
    }

    private static func parts(_ text: String) -> (payload: [UInt8], mac: [UInt8])? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 2, let payload = Base64.decode(parts[0], .url),
            let mac = Base64.decode(parts[1], .url)
        else { return nil }
        return (payload, mac)
    }

    private static func message(_ expiry: [UInt8], _ state: [UInt8], _ binding: Binding) -> [UInt8] {
        message(
            "mcp-state-1",
            [
                expiry, state, Array(binding.caller.utf8), Array(binding.method.utf8),
                Array(binding.name.utf8), binding.arguments,
            ])
    }

    private static func message(_ payload: [UInt8], _ caller: String) -> [UInt8] {
        message("mcp-session-1", [payload, Array(caller.utf8)])
    }

    /// Every part is preceded by its length, so that none can pass for another,
    /// and the purpose comes first, so that no mark can pass for a state.
    private static func message(_ purpose: String, _ parts: [[UInt8]]) -> [UInt8] {
        var message = Array(purpose.utf8)
        for part in parts {
            message += bytes(UInt64(part.count))
            message += part
        }
        return message
    }

    private static func bytes(_ value: UInt64) -> [UInt8] {
        (0..<8).map { UInt8(truncatingIfNeeded: value >> (56 - 8 * UInt64($0))) }
    }

    /// Takes the same time wherever the first difference is.
    private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for (a, b) in zip(left, right) { difference |= a ^ b }
        return difference == 0
    }
}
