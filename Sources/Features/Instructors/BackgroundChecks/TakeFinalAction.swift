package import Kernel
import Storage

/// Turns an instructor away whose notice ran out unanswered.
///
/// Does nothing while a dispute is open (its end plans the decision anew), when
/// another notice took the place of this one, when it was done already, or when the
/// result is not adverse any more.
package struct TakeFinalAction: Job {
    package static let name = "background_check.final_adverse_action"
    package static let isDatabaseOnly = true

    package var profile: ULID
    package var notice: String

    package init(profile: ULID, notice: String) {
        self.profile = profile
        self.notice = notice
    }

    package var uniqueKey: String? { "final-adverse:\(notice)" }

    package func run(_ attempt: JobAttempt) async throws {
        let (id, notice) = (profile, notice)
        try await attempt.settle { tx, unit in
            let context = unit.context
            guard let profile = try InstructorProfile.lock(id, tx) else {
                return .discard(error: "the profile is gone")
            }
            if let reason = Self.obstacle(profile, notice) {
                attempt.summarize("skipped: \(reason)")
                return .completed
            }
            // A dispute that ended in between has moved it.
            if let due = AdverseAction.due(profile.check), due > context.now {
                return .snooze(due - context.now)
            }
            try profile.check(
                .failed, at: profile.moment(context), as: "instructor.final_adverse_action", tx, context)
            try tx.run(
                "UPDATE instructor_profiles SET bgc_final_adverse_sent_at = \(context.now) WHERE id = \(id)")
            try AdverseAction.note("final_adverse_sent", notice, profile, tx, context)
            try profile.mail(.finalAdverse, key: notice, tx)
            attempt.summarize("done")
            return .completed
        }
    }

    private static func obstacle(_ profile: InstructorProfile, _ notice: String) -> String? {
        if profile.check.isInDispute { return "a dispute is open" }
        if profile.check.noticeID != notice { return "another notice took its place" }
        if profile.check.finalAdverseSentAt != nil { return "it was done already" }
        if profile.bgcStatus != .review, profile.bgcStatus != .consider { return "the result is not adverse" }
        return nil
    }
}
