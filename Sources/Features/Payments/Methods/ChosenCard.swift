import Kernel
import Storage

/// A card with which somebody wants to pay, once the provider has said that it is theirs.
struct ChosenCard: Sendable {
    var owner: ULID
    var customer: String
    var card: PaymentObject

    /// Looks a card up before the transaction that uses it. One that belongs to nobody
    /// yet becomes theirs, for it is charged while they are not there.
    ///
    /// - Throws: ``Kernel/Failure/Code/notFound`` for one that there is not and for somebody else's alike.
    static func take(_ id: String, of user: ULID, _ db: Reader, _ context: Context) async throws -> ChosenCard
    {
        let provider = try PaymentProvider.required(context, db)
        let customer = try await StripeCustomer.ensure(user, db, context)
        guard let card = try await provider.look(.paymentMethod, id),
            card.customer == nil || card.customer == customer
        else {
            throw Failure(
                .notFound, "There is no payment method with that id.",
                hint: "Give the id that the card form answered.", reason: "payment_method_not_found")
        }
        guard card.customer == nil else { return ChosenCard(owner: user, customer: customer, card: card) }
        let attached = try await provider.ask(
            .attachPaymentMethod(id: id, customer: customer), key: "attach_\(customer)_\(id)")
        return ChosenCard(owner: user, customer: customer, card: attached)
    }

    /// - Parameter isKept: for later lessons, too.
    func store(isKept: Bool, _ tx: Transaction, _ context: Context) throws {
        try StripeCustomer.store(customer, of: owner, tx, context)
        if isKept { try PaymentMethod.keep(card, of: owner, tx, context) }
    }
}
