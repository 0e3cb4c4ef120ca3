package import Kernel
import Storage

/// Sends a batch of invites, some at a time, so that each step shows in its progress.
///
/// Puts mails into the outbox and calls nobody; a step that is undone sends nothing.
package struct SendInvitesBatch: Job {
    package static let name = "app.tasks.email.send_beta_invites_batch"
    package static let queue = Queue.email
    package static let isDatabaseOnly = true
    /// How many invites one transaction makes.
    static let step = 25

    package var batch: ULID

    package init(batch: ULID) { self.batch = batch }

    package var uniqueKey: String? { "invite-batch:\(batch)" }

    package func run(_ attempt: JobAttempt) async throws {
        let batch = batch
        try await attempt.settle { tx, unit in
            guard let found = try InviteBatch.find(batch, tx), found.finishedAt == nil else {
                return .completed
            }
            return try found.sendSome(Self.step, tx, unit.context) ? .completed : .snooze(.zero)
        }
    }
}
