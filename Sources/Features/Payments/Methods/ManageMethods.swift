import Kernel
import Storage

/// A card as its owner sees it.
struct PaymentMethodView: Codable, Sendable {
    var id: ULID
    /// The provider's id, which pays for a booking.
    var paymentMethodID: String
    var last4: String
    var brand: String
    var isDefault: Bool
    var createdAt: Instant

    init(_ method: PaymentMethod) {
        id = method.id
        paymentMethodID = method.stripeID
        last4 = method.last4
        brand = method.brand
        isDefault = method.isDefault
        createdAt = method.createdAt
    }
}

/// Keeps a card for later lessons.
struct KeepPaymentMethod: Command {
    static let name = "payment_method_keep"
    static let summary = "Keep a card for later lessons."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.createBookings)
    static let bucket = RateBucket.financial
    static let route = Route.post("payments/methods")
    static let creates = true
    static let action = "payment.keep_method"

    @Input("The card, as the card form answered it.", .length(1...255)) var paymentMethodID: String
    @Input("Whether lessons are paid for with it unless told otherwise.") var setAsDefault = false
    @Prepared var card: ChosenCard?

    typealias Output = PaymentMethodView

    mutating func prepare(_ db: Reader, _ context: Context) async throws {
        card = try await ChosenCard.take(paymentMethodID, of: context.userID(), db, context)
    }

    func run(_ tx: Transaction, _ context: Context) throws -> PaymentMethodView {
        let user = try context.userID()
        guard let card else { throw Failure(.internal, "The card was not prepared.") }
        try card.store(isKept: true, tx, context)
        // Kept by somebody else a moment ago: as good as missing.
        guard var method = try PaymentMethod.find(stripe: card.card.id, of: user, tx) else {
            throw PaymentMethod.notFound
        }
        if setAsDefault { try method.makeDefault(tx) }
        return PaymentMethodView(method)
    }
}

/// The caller's cards.
struct ListPaymentMethods: Query {
    static let name = "payment_method_list"
    static let summary = "The signed-in person's cards, the default first."
    static let audience = Audience.holders(.createBookings)
    static let route = Route.get("payments/methods")
    static let limit = 100

    struct Output: Codable, Sendable {
        /// At most ``ListPaymentMethods/limit``.
        var paymentMethods: [PaymentMethodView]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        let found = try await db.read { try PaymentMethod.list(of: user, limit: Self.limit, $0) }
        return Output(paymentMethods: found.map(PaymentMethodView.init))
    }
}

/// Takes a card away.
struct RemovePaymentMethod: Command {
    static let name = "payment_method_remove"
    static let summary = "Remove one of the signed-in person's cards."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.createBookings)
    static let bucket = RateBucket.financial
    static let route = Route.delete("payments/methods/:id")
    static let action = "payment.remove_method"

    @Input("The card's id.") var id: ULID
    var subject: Subject? { Subject("payment_method", id.description) }

    struct Output: Codable, Sendable {
        var isRemoved: Bool
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        let user = try context.userID()
        _ = try User.lock(user, tx)
        guard let method = try PaymentMethod.find(id, of: user, tx) else { throw PaymentMethod.notFound }
        try method.remove(tx, context)
        return Output(isRemoved: true)
    }
}
