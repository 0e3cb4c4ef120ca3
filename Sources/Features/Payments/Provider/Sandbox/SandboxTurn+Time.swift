import JSON
import Kernel
import Storage

// What happens by itself, and disputes.
extension SandboxTurn {
    /// Lets happen what is due of an object that is held.
    func happen(_ object: SandboxObject) throws -> SandboxObject {
        var object = object
        object.dueAt = nil
        switch object.kind {
        case "payment_intent": try expire(&object)
        case "charge": try dispute(&object)
        case "payout": try settle(&object, failure: nil)
        default: try save(object)
        }
        return object
    }

    /// The bank gives up to hold the money.
    private func expire(_ intent: inout SandboxObject) throws {
        guard intent.status == "requires_capture" else { return try save(intent) }
        try cancel(&intent, reason: "automatic")
        let charge = try lock("charge", intent.text("latest_charge") ?? "")
        tell("charge.expired", charge)
    }

    /// The student tells the bank that the payment was not theirs.
    func dispute(_ charge: inout SandboxObject) throws {
        let left = charge.amount - charge.returned
        guard left > 0, charge.body["disputed"] != true else { return try save(charge) }
        charge.body["disputed"] = true
        var dispute = SandboxObject(
            "dispute", id: id("du"), at: now,
            [
                "amount": .int(left), "balance_transactions": [], "charge": .string(charge.id),
                "currency": "usd", "evidence": [:],
                "evidence_details": [
                    "due_by": .int((now + .seconds(7 * 86_400)).wholeSeconds), "has_evidence": false,
                    "past_due": false, "submission_count": 0,
                ],
                "is_charge_refundable": false, "metadata": [:], "payment_intent": .text(charge.parent),
                "reason": "fraudulent", "status": "needs_response",
            ])
        (dispute.parent, dispute.owner) = (charge.parent, charge.id)
        add(dispute)
        try save(charge)
        tell("charge.dispute.created", dispute)
    }

    func close(_ dispute: inout SandboxObject, isWon: Bool) throws {
        guard !["won", "lost"].contains(dispute.status) else {
            throw SandboxRefusal.state(nil, "The dispute is \(dispute.status) already.")
        }
        dispute.body["status"] = .string(isWon ? "won" : "lost")
        try save(dispute)
        if isWon, let id = dispute.owner {
            var charge = try lock("charge", id)
            charge.body["disputed"] = false
            try save(charge)
        }
        tell("charge.dispute.closed", dispute)
    }
}
