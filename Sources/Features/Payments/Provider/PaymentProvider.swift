package import JSON
package import Kernel
package import Storage

/// The port to whoever holds cards and moves money.
///
/// Calls are made outside of transactions. One that changes something carries a
/// key that was stored before it was first sent: sent again with the same key it
/// happens once, and ``find`` says what became of one whose answer was lost.
package struct PaymentProvider: Sendable {
    /// Sends a call.
    package var send:
        @Sendable (_ request: PaymentRequest, _ key: String) async throws ->
            PaymentOutcome<PaymentObject>
    /// What became of a call that may have been sent with that key; nil when the
    /// provider never took it. It asks and changes nothing.
    package var find:
        @Sendable (_ request: PaymentRequest, _ key: String) async throws ->
            PaymentOutcome<PaymentObject?>
    /// One object as it is now; nil when there is none of that id.
    package var retrieve:
        @Sendable (_ kind: PaymentObject.Kind, _ id: String) async throws ->
            PaymentOutcome<PaymentObject?>
    /// Objects of one kind that were made in `[since, until)`, newest first, a page at a time.
    package var list:
        @Sendable (_ kind: PaymentObject.Kind, _ page: PaymentPage) async throws ->
            PaymentOutcome<PaymentList>

    package init(
        send: @escaping @Sendable (PaymentRequest, String) async throws -> PaymentOutcome<PaymentObject>,
        find: @escaping @Sendable (PaymentRequest, String) async throws -> PaymentOutcome<PaymentObject?>,
        retrieve:
            @escaping @Sendable (PaymentObject.Kind, String) async throws -> PaymentOutcome<
                PaymentObject?
            >,
        list:
            @escaping @Sendable (PaymentObject.Kind, PaymentPage) async throws -> PaymentOutcome<
                PaymentList
            >
    ) {
        self.send = send
        self.find = find
        self.retrieve = retrieve
        self.list = list
    }
}

/// Something the provider is asked to do. Amounts are cents of US dollars.
package enum PaymentRequest: Sendable, Hashable, Codable {
    case createCustomer(user: ULID)
    /// The student's browser gives the card to the provider with its client secret.
    case createSetupIntent(customer: String)
    case attachPaymentMethod(id: String, customer: String)
    case detachPaymentMethod(id: String)
    /// Creates and confirms a payment that is captured later.
    case authorize(Authorization)
    case capture(intent: String)
    case cancel(intent: String)
    case refund(Refund)
    case transfer(Transfer)
    /// Takes back a transfer, whole unless `amount` says less.
    case reverse(transfer: String, amount: Int?)
    case createAccount(instructor: ULID)
    case accountLink(account: String, refreshURL: String, returnURL: String)
    case loginLink(account: String)
    case weeklyPayouts(account: String, anchor: String)
    case instantPayout(account: String, amount: Int)
    case createIdentitySession(user: ULID, returnURL: String?)

    package struct Authorization: Sendable, Hashable, Codable {
        package var booking: ULID
        package var amount: Int
        package var customer: String
        package var paymentMethod: String
        /// The instructor's account, and how much of the payment goes there at the capture.
        package var destination: String
        package var transferAmount: Int
        /// The student is not there to answer a challenge.
        package var isOffSession: Bool
        /// All amounts that make up the payment (domain specification §2.6).
        package var metadata: [String: String]

        package init(
            booking: ULID, amount: Int, customer: String, paymentMethod: String, destination: String,
            transferAmount: Int, isOffSession: Bool, metadata: [String: String] = [:]
        ) {
            self.booking = booking
            self.amount = amount
            self.customer = customer
            self.paymentMethod = paymentMethod
            self.destination = destination
            self.transferAmount = transferAmount
            self.isOffSession = isOffSession
            self.metadata = metadata
        }
    }

    package struct Refund: Sendable, Hashable, Codable {
        package enum Reason: String, Sendable, Hashable, Codable {
            case duplicate, fraudulent
            case requestedByCustomer = "requested_by_customer"
        }

        package var intent: String
        package var amount: Int
        package var reason: Reason
        /// Takes the instructor's part back in proportion.
        package var reversesTransfer: Bool

        package init(intent: String, amount: Int, reason: Reason, reversesTransfer: Bool) {
            self.intent = intent
            self.amount = amount
            self.reason = reason
            self.reversesTransfer = reversesTransfer
        }
    }

    package struct Transfer: Sendable, Hashable, Codable {
        package var amount: Int
        package var destination: String
        /// `booking:{id}` for what belongs to a booking.
        package var group: String?
        package var metadata: [String: String]

        package init(amount: Int, destination: String, group: String?, metadata: [String: String] = [:]) {
            self.amount = amount
            self.destination = destination
            self.group = group
            self.metadata = metadata
        }
    }
}

/// How one call to the provider ended.
package enum PaymentOutcome<Value: Sendable>: Sendable {
    case done(Value)
    /// It was refused, nothing happened, and sent again it is refused again.
    case refused(PaymentProblem)
    /// It was not taken; the provider wants to be asked later.
    case busy(Duration)
    /// It may have happened.
    case unknown(String)
}

/// Why the provider refuses.
package struct PaymentProblem: Error, Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        /// The card's bank says no.
        case cardDeclined = "card_declined"
        case insufficientFunds = "insufficient_funds"
        case expiredCard = "expired_card"
        /// The bank wants the student to confirm (3-D Secure).
        case authenticationRequired = "authentication_required"
        /// The payment is in a state that does not allow it: it was captured before.
        case alreadyCaptured = "already_captured"
        /// The payment was canceled, or its authorization ran out.
        case canceled
        case alreadyRefunded = "already_refunded"
        case alreadyReversed = "already_reversed"
        /// Our balance does not cover it.
        case insufficientBalance = "insufficient_balance"
        case accountNotReady = "account_not_ready"
        case notFound = "not_found"
        /// The key was used with other parameters: a fault of ours.
        case keyReused = "key_reused"
        /// The provider does not accept our own credentials.
        case credentials
        case other
    }

    package var kind: Kind
    /// The bank's own reason, e.g. `do_not_honor`; lowercase letters and `_` alone.
    package var declineCode: String?

    package init(_ kind: Kind, declineCode: String? = nil) {
        self.kind = kind
        self.declineCode = declineCode
    }

    /// Whether another card could help.
    package var isOfCard: Bool {
        switch kind {
        case .cardDeclined, .insufficientFunds, .expiredCard, .authenticationRequired: true
        default: false
        }
    }
}

/// An object of the provider's, as far as we use it.
package struct PaymentObject: Sendable, Hashable, Codable {
    package enum Kind: String, Sendable, Hashable, Codable, CaseIterable {
        case customer, paymentMethod = "payment_method", setupIntent = "setup_intent"
        case paymentIntent = "payment_intent", refund, transfer, reversal, account
        case payout, event, link, identitySession = "identity_session"
    }

    package var kind: Kind
    package var id: String
    /// In the provider's words; `enabled` or `restricted` for an account.
    package var status: String?
    package var amount: Int?
    /// What a payment received so far.
    package var amountReceived: Int?
    /// What went back: of a payment's charge, or of a transfer.
    package var amountReturned: Int?
    package var charge: String?
    /// The payment that a refund belongs to, or the transfer of a reversal.
    package var parent: String?
    /// The transfer that a capture made to the instructor.
    package var transfer: String?
    package var destination: String?
    package var customer: String?
    package var clientSecret: String?
    package var url: String?
    package var brand: String?
    package var last4: String?
    /// Of a refused payment.
    package var problem: PaymentProblem?
    package var metadata: [String: String]
    package var created: Instant?
    /// Of an event: its type and the whole of it.
    package var eventType: String?
    package var body: JSONValue?

    package init(kind: Kind, id: String, metadata: [String: String] = [:]) {
        self.kind = kind
        self.id = id
        self.metadata = metadata
    }
}

/// Which part of a list is wanted.
package struct PaymentPage: Sendable, Hashable {
    package var since: Instant?
    package var until: Instant?
    /// The last id of the page before.
    package var after: String?
    package var limit: Int
    /// Of one payment, transfer or group alone.
    package var parent: String?
    /// The connected account whose objects are meant (payouts).
    package var account: String?

    package init(
        since: Instant? = nil, until: Instant? = nil, after: String? = nil, limit: Int = 100,
        parent: String? = nil, account: String? = nil
    ) {
        self.since = since
        self.until = until
        self.after = after
        self.limit = limit
        self.parent = parent
        self.account = account
    }
}

package struct PaymentList: Sendable, Hashable {
    package var objects: [PaymentObject]
    package var hasMore: Bool

    package init(objects: [PaymentObject], hasMore: Bool) {
        self.objects = objects
        self.hasMore = hasMore
    }
}
