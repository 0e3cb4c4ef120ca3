import Storage

/// A card dispute as one event of the provider tells it.
///
/// Events arrive late, twice and in any order, so disputes have a total order:
/// of two, the one opened later counts; of one, its end counts more than its
/// beginning.
struct CardDispute: Sendable {
    var id: String
    var status: String
    var amount: Int
    /// When it was opened, by the provider's clock.
    var openedAt: Instant
    /// When it was closed; nil while it is open.
    var closedAt: Instant?

    /// `won` and `warning_closed` are ours, anything else is lost.
    var outcome: SettlementOutcome? {
        guard closedAt != nil else { return nil }
        return ["won", "warning_closed"].contains(status) ? .disputeWon : .disputeLost
    }

    static func isLater(_ a: CardDispute, than b: (id: String, openedAt: Instant, closedAt: Instant?)) -> Bool
    {
        let never = Instant(microseconds: .min)
        return (a.openedAt, a.id, a.closedAt ?? never) > (b.openedAt, b.id, b.closedAt ?? never)
    }
}
