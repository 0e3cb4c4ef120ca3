import JSON
import Kernel
import Storage

/// Finds out what became of a call to Twilio that got no answer.
///
/// Of the outbound messages to the number that were made since shortly before the
/// call and belong to no other message of ours: one with the same words is it; none
/// at all means that it was not taken; anything else leaves it undecided, as
/// Twilio may have changed the words (smart encoding, a trial account's preamble).
struct TwilioLookUp: Sendable {
    /// How far Twilio's clock may be behind ours.
    static let clockTolerance = Duration.seconds(300)

    let message: OutboxMessage

    func ask(_ api: TwilioAPI, _ clients: Clients, _ known: MessageSender.KnownIDs) async throws -> LookUp {
        switch try await MessageSender.answer(api.listing(to: message.recipient), clients) {
        case .failure(let failure): return .undecided(reason: "twilio list: \(failure.reason)")
        case .success(let answer) where answer.status != 200:
            return .undecided(reason: "twilio list: \(answer.status)")
        case .success(let answer):
            guard let page = try? JSONValue(parsing: answer.body), let all = page["messages"]?.arrayValue
            else { return .undecided(reason: "twilio list: not a list") }
            let recent = all.filter(isCandidate)
            let hasMore = page["next_page_uri"]?.stringValue != nil && recent.count == all.count
            return try await decide(recent, hasMore: hasMore, known)
        }
    }

    private func decide(_ recent: [JSONValue], hasMore: Bool, _ known: MessageSender.KnownIDs) async throws
        -> LookUp
    {
        let ids = recent.map { MessageSender.id($0["sid"]?.stringValue) }
        let others = try await known(ids.compactMap(\.self))
        let open = zip(ids, recent).filter { id, _ in id.map { !others.contains($0) } ?? true }
        for (id, candidate) in open where candidate["body"]?.stringValue == message.text {
            guard let id else { continue }
            return TwilioAPI.failure(candidate).map { .refused(code: $0, id: id) } ?? .taken(id: id)
        }
        if !open.isEmpty { return .undecided(reason: "twilio has another message to this number") }
        return hasMore ? .undecided(reason: "twilio has too many messages to this number") : .notTaken
    }

    /// One that cannot be dated might be it.
    private func isCandidate(_ entry: JSONValue) -> Bool {
        if entry["direction"]?.stringValue == "inbound" { return false }
        guard let calledAt = message.calledAt,
            let made = entry["date_created"]?.stringValue.flatMap(Self.instant)
        else { return true }
        return made >= calledAt - Self.clockTolerance
    }

    private static let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ]

    /// `Thu, 24 Aug 2023 05:01:45 +0000` (RFC 2822 §3.3), as Twilio writes it.
    static func instant(_ text: String) -> Instant? {
        let words = text.split(separator: " ")
        guard words.count == 6, let month = months.firstIndex(of: String(words[2])) else { return nil }
        func pad(_ text: some StringProtocol) -> String { text.count == 1 ? "0\(text)" : String(text) }
        guard words[5].count == 5 else { return nil }
        let zone = "\(words[5].prefix(3)):\(words[5].suffix(2))"
        return Instant(parsing: "\(words[3])-\(pad(String(month + 1)))-\(pad(words[1]))T\(words[4])\(zone)")
    }
}
