package import JSON
package import Storage

/// Someone who tells us things over HTTP.
///
/// A conformance is three answers: is this request really from them
/// (``verify(_:_:)``), what does it say (the ``Delivery`` it returns), and
/// what does it mean for us (``handle(_:_:_:)``). Everything else (the
/// durable row, dedupe, attempts, retries, replay) is the ledger's.
package protocol WebhookSource: Sendable {
    /// The value of `webhook_events.source`.
    static var name: String { get }
    /// The endpoint's path.
    static var path: String { get }

    /// Checks the credentials on the raw bytes and reads the message.
    ///
    /// Throws ``WebhookRefusal`` with the status the provider must see.
    static func verify(_ request: WebhookRequest, _ context: Context) throws -> Delivery

    /// Applies the event inside one transaction: database changes and
    /// enqueued jobs only. Must be harmless when repeated, and must not let an
    /// older event overwrite newer state.
    ///
    /// Throwing undoes everything it wrote and marks the event failed; a
    /// ``Failure`` that is not retryable is not tried again.
    static func handle(_ event: WebhookEvent, _ tx: Transaction, _ context: Context) throws -> HandledWebhook
}

/// An HTTP request at a webhook endpoint, untouched.
package struct WebhookRequest: Sendable {
    /// In the order and spelling of arrival.
    package var headers: [(name: String, value: String)]
    package var body: [UInt8]

    package init(headers: [(name: String, value: String)], body: [UInt8]) {
        self.headers = headers
        self.body = body
    }

    /// The first value of a header, whatever its spelling.
    package func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name }?.value
    }
}

/// A verified message, ready for the ledger.
package struct Delivery: Sendable {
    /// The provider's own event id, from the signed bytes; nil when it sends none.
    package var eventID: String?
    package var eventType: String
    /// Carried by an unsigned header: kept for support, never used to dedupe.
    package var deliveryID: String?
    /// The parsed body, before redaction.
    package var payload: JSONValue

    package init(eventID: String?, eventType: String, deliveryID: String? = nil, payload: JSONValue) {
        self.eventID = eventID
        self.eventType = eventType
        self.deliveryID = deliveryID
        self.payload = payload
    }

    /// The text of a member that names something: not empty, at most `maximum`
    /// bytes, without control characters; otherwise nil.
    package static func name(_ value: JSONValue?, maximum: Int) -> String? {
        guard let text = value?.stringValue, (1...maximum).contains(text.utf8.count),
            text.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F })
        else { return nil }
        return text
    }
}

/// Why a request is not a delivery, with the HTTP status that the provider's
/// contract asks for: 4xx for what will never succeed, 5xx for "send it again".
package struct WebhookRefusal: Error, Sendable {
    package var status: Int
    package var reason: String
    package var message: String

    package init(_ status: Int, _ reason: String, _ message: String) {
        self.status = status
        self.reason = reason
        self.message = message
    }
}

/// What a handler made of an event.
package enum HandledWebhook: Sendable, Hashable {
    /// Applied; `related` is the local row it was about.
    case processed(related: Subject?)
    /// Nothing of ours matches (yet): tried again for a while, then left `unmatched`.
    case unmatched(String)
}
