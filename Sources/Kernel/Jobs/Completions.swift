import Storage

/// Ends attempts that have nothing to write but their end, those that wait
/// together in one transaction: an end is two statements however many jobs they
/// are of. One that cannot be written with the others, because a lease was lost,
/// is written alone.
final class Completions: Sendable {
    /// Answers whether the end is written; one that is not, its attempt writes itself.
    private let batches = Batches<JobAttempt, Bool>(gathers: true) { attempts in
        guard attempts.count > 1 else {
            do { try await end(attempts[0]) } catch { return [.failure(error)] }
            return [.success(true)]
        }
        // Whatever went wrong, each meets it again by itself if it is its own.
        var isWritten = false
        do {
            try await JobAttempt.settle(attempts) { _ in attempts.map { _ in .completed } }
            isWritten = true
        } catch {}
        return attempts.map { _ in .success(isWritten) }
    }

    /// Returns when the attempt has ended as completed, or throws as
    /// ``JobAttempt/settle(_:)`` does.
    func complete(_ attempt: JobAttempt) async throws {
        if try await !batches(attempt) { try await Self.end(attempt) }
    }

    private static func end(_ attempt: JobAttempt) async throws {
        try await attempt.settle { _, _ in .completed }
    }
}
