import Kernel
import Storage

/// Who may join at present.
struct ShowBetaSettings: Query {
    static let name = "beta_settings_show"
    static let summary = "Who may join at present."
    static let audience = Audience.holders(.adminRead)
    static let route = Route.get("beta/settings")

    typealias Output = BetaSettings

    func run(_ db: Reader, _ context: Context) async throws -> BetaSettings {
        try await db.read { try BetaSettings.current($0) }
    }
}

/// Changes who may join.
struct ChangeBetaSettings: Command {
    static let name = "beta_settings_change"
    static let summary = "Change who may join."
    static let effect = Effect.reversible
    static let isIdempotent = true
    static let audience = Audience.holders(.adminManage)
    static let route = Route.put("beta/settings")
    static let action = "invite.change_settings"

    @Input("Whether the beta is over and anybody may join.") var betaDisabled: Bool
    @Input("The phase that newcomers get access to.", .length(1...32)) var betaPhase: String
    @Input("Whether instructors may join without an invite.") var allowSignupWithoutInvite: Bool

    typealias Output = BetaSettings

    func run(_ tx: Transaction, _ context: Context) throws -> BetaSettings {
        var settings = try BetaSettings.lock(tx)
        settings.betaDisabled = betaDisabled
        settings.betaPhase = betaPhase
        settings.allowSignupWithoutInvite = allowSignupWithoutInvite
        try settings.save(tx, context)
        return settings
    }
}

/// Counts of the last day.
struct SummarizeBeta: Query {
    static let name = "beta_summary"
    static let summary = "Invites of the last 24 hours, and founding places."
    static let audience = Audience.holders(.adminRead)
    static let route = Route.get("beta/metrics/summary")

    struct Output: Codable, Sendable {
        /// At most ``InviteCounts/limit`` each.
        var invitesSent24h: Int
        var invitesErrors24h: Int
        var phaseCounts24h: [String: Int]
        var foundingOutstanding: Int
        var foundingRemaining: Int

        // `_24h` is no snake case of a property's name.
        enum CodingKeys: String, CodingKey {
            case invitesSent24h = "invites_sent_24h"
            case invitesErrors24h = "invites_errors_24h"
            case phaseCounts24h = "phase_counts_24h"
            case foundingOutstanding = "founding_outstanding"
            case foundingRemaining = "founding_remaining"
        }
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let now = context.now
        return try await db.read { db in
            let counts = try InviteCounts.lastDay(db, now: now)
            return Output(
                invitesSent24h: counts.sent, invitesErrors24h: counts.failed,
                phaseCounts24h: counts.accessByPhase,
                foundingOutstanding: try Invite.outstandingFounding(db, now: now),
                foundingRemaining: try FoundingPlaces.remaining(db))
        }
    }
}
