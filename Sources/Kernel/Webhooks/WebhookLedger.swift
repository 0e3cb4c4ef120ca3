package import Storage

/// The append-only record of what every webhook source has told us.
///
/// A delivery is stored, whole and redacted, and committed before anything
/// looks at it and before it is acknowledged; those that arrive together share
/// the commit (``ReceiptBatches``). Two deliveries with the same
/// source and identity are one delivery, decided by a unique index; the
/// second only raises the first one's `delivery_count`.
package struct WebhookLedger: Sendable {
    /// What became of a delivery.
    package enum Receipt: Sendable, Hashable {
        case stored(ULID)
        case duplicate(ULID)
    }

    private let receipts: ReceiptBatches

    package init(database: any Database) { receipts = ReceiptBatches(database: database) }

    /// Verifies, stores and commits; returns only when the row is durable.
    package func receive(_ source: any WebhookSource.Type, _ request: WebhookRequest, _ context: Context)
        async throws
        -> Receipt
    {
        let delivery = try source.verify(request, context)
        return try await receipts.store(NewEvent(source.name, delivery, request, context))
    }

    /// Stores an event that was asked for and not sent, as ``WebhookOrigin/reconciled``.
    /// The source's own answer vouches for it: nothing is verified here. From then on it
    /// is processed as any other, and a late delivery of it is a duplicate.
    package func adopt(_ source: any WebhookSource.Type, _ delivery: Delivery, _ context: Context)
        async throws
        -> Receipt
    {
        guard let id = delivery.eventID else {
            throw Failure(.internal, "An event without an id cannot be told from others.")
        }
        return try await receipts.store(NewEvent(source.name, fetched: delivery, eventID: id, context))
    }
}
