import JSON
package import Kernel
package import Storage

/// An instructor's account as its owner sees it.
package struct AccountStateView: Codable, Sendable {
    package var userID: ULID
    package var accountStatus: AccountStatus
    package var isLive: Bool
    package var hasFutureBookings: Bool
    package var canSuspend: Bool
    package var canDeactivate: Bool
    package var canReactivate: Bool

    /// Three statements.
    package static func load(_ user: ULID, _ db: Snapshot, now: Instant) throws -> AccountStateView {
        guard let profile = try InstructorProfile.find(user: user, db), let person = try User.find(user, db)
        else { throw InstructorProfile.none }
        let isBooked: Bool
        do {
            try profile.requireNoFutureBookings(db, now: now)
            isBooked = false
        } catch let failure as Failure where failure.reason == "future_bookings" { isBooked = true }
        let status = person.accountStatus
        return AccountStateView(
            userID: user, accountStatus: status, isLive: profile.isLive, hasFutureBookings: isBooked,
            canSuspend: status == .active && !isBooked, canDeactivate: status != .deactivated && !isBooked,
            canReactivate: status != .active)
    }
}

extension InstructorProfile {
    /// The only writer of an instructor's account status of their own.
    ///
    /// Who leaves pauses and who returns is reactivated, as events of the funnel. Leaving
    /// ends every session; who is suspended may sign in again, who is deactivated may not.
    package func setAccount(
        _ next: AccountStatus, as action: String, _ tx: Transaction, _ context: Context
    ) throws {
        guard let user = try User.lock(userID, tx) else { throw Self.none }
        guard user.accountStatus != next else { return }
        if next != .active { try requireNoFutureBookings(tx, now: context.now) }
        try user.leavingAnAdministrator(tx) {
            try tx.run(
                """
                UPDATE users SET account_status = \(next), updated_at = \(context.now) WHERE id = \(userID)
                """)
        }
        if next == .active {
            try LifecycleEvent.reactivated.record(userID, tx, context)
        } else if user.accountStatus == .active {
            try LifecycleEvent.paused.record(userID, tx, context)
        }
        if next != .active {
            try User.endTokens(of: userID, tx, context)
            try UserSession.endAll(of: userID, .account, tx, now: context.now)
        }
        try tx.audit(
            action, Subject("instructor", userID.description),
            changes: changes(
                from: ["account_status": .string(user.accountStatus.rawValue)],
                to: ["account_status": .string(next.rawValue)]))
    }
}

/// Whether students can book the caller, and what can be done about it.
struct ShowAccountState: Query {
    static let name = "my_account_status_show"
    static let summary = "The state of the caller's account, and which changes of it are possible now."
    static let audience = Audience.holders(.suspendOwnInstructorAccount)
    static let route = Route.get("account/status")
    static let action = "account.view"
    typealias Output = AccountStateView

    func run(_ db: Reader, _ context: Context) async throws -> AccountStateView {
        let (user, now) = (try context.userID(), context.now)
        return try await db.read { try AccountStateView.load(user, $0, now: now) }
    }
}

/// Keeps students from booking the caller; signing in stays possible.
struct SuspendAccount: Command {
    static let name = "my_account_suspend"
    static let summary = "Keep students from booking the caller; refused while lessons are booked."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.suspendOwnInstructorAccount)
    static let route = Route.post("account/suspend")
    static let action = "account.suspend"
    typealias Output = AccountStateView

    func run(_ tx: Transaction, _ context: Context) throws -> AccountStateView {
        let profile = try InstructorProfile.own(tx, context)
        guard try User.find(profile.userID, tx)?.accountStatus != .deactivated else {
            throw Failure(.conflict, "The account is deactivated.", reason: "account_deactivated")
        }
        try profile.setAccount(.suspended, as: "instructor.suspend", tx, context)
        return try AccountStateView.load(profile.userID, tx, now: context.now)
    }
}

/// Closes the caller's account: neither bookings nor signing in.
struct DeactivateAccount: Command {
    static let name = "my_account_deactivate"
    static let summary =
        "Close the caller's account; it cannot sign in any more. Refused while lessons are booked."
    static let effect = Effect.destructive
    static let audience = Audience.holders(.suspendOwnInstructorAccount)
    static let route = Route.post("account/deactivate")
    static let action = "account.deactivate"
    typealias Output = AccountStateView

    func run(_ tx: Transaction, _ context: Context) throws -> AccountStateView {
        let profile = try InstructorProfile.own(tx, context)
        try profile.setAccount(.deactivated, as: "instructor.deactivate", tx, context)
        return try AccountStateView.load(profile.userID, tx, now: context.now)
    }
}

/// Makes the caller's account active again.
struct ReactivateAccount: Command {
    static let name = "my_account_reactivate"
    static let summary = "Make the caller's account active again."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.suspendOwnInstructorAccount)
    static let route = Route.post("account/reactivate")
    static let action = "account.reactivate"
    typealias Output = AccountStateView

    func run(_ tx: Transaction, _ context: Context) throws -> AccountStateView {
        let profile = try InstructorProfile.own(tx, context)
        try profile.setAccount(.active, as: "instructor.reactivate", tx, context)
        return try AccountStateView.load(profile.userID, tx, now: context.now)
    }
}
