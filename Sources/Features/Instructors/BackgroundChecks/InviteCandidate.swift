package import Kernel
package import Storage

/// Tells Checkr of an instructor who is to be checked: the candidate, then the invitation.
///
/// That a call begins is committed before it does. An attempt that finds one begun
/// (the process died, the answer did not come) looks up what became of it, and only
/// when nothing did repeats it, with the same key.
package struct InviteCandidate: Job {
    package static let name = "bgc.invite"
    package static let retry = RetryPolicy(maximumAttempts: 8, base: .seconds(30), cap: .seconds(1_800))
    package static let timeout = Duration.seconds(60)
    /// How far Checkr's clock may be behind ours.
    private static let clockDifference = Duration.seconds(3_600)

    package var request: ULID

    package init(request: ULID) { self.request = request }

    package var uniqueKey: String? { "bgc.invite:\(request)" }

    package func run(_ attempt: JobAttempt) async throws {
        let id = request
        let found = try await attempt.database.read { db -> Work? in
            guard let request = try BackgroundCheckRequest.find(id, db), request.status.isOpen,
                let profile = try InstructorProfile.find(request.instructorID, db),
                let contact = try InstructorContact.find(profile.userID, db)
            else { return nil }
            return Work(request: request, profile: profile, contact: contact)
        }
        guard let work = found else { return }
        guard let checkr = Checkr.of(attempt.context, attempt.database) else {
            return try await refuse(work, .other, attempt)
        }
        guard let place = Checkr.WorkLocation(zip: work.contact.zip) else {
            return try await refuse(work, .invalidWorkLocation, attempt)
        }
        guard let candidate = try await candidate(work, place, checkr, attempt) else { return }
        let since = work.request.createdAt - Self.clockDifference
        let invitation = try await call(
            .invitation, work, attempt,
            lookUp: { try await checkr.findInvitation(candidate, since) },
            make: {
                try await checkr.invite(candidate, work.request.package, place, work.request.invitationKey)
            })
        guard let invitation else { return }
        try await finish(work, candidate, invitation, attempt)
    }

    /// The worker gave up: what was asked for is not under way.
    package func discarded(_ reason: String, _ tx: Transaction, _ context: Context) throws {
        guard let request = try BackgroundCheckRequest.lock(request, tx), request.status.isOpen else {
            return
        }
        try request.fail(.other, tx, context)
    }

    private struct Work: Sendable {
        var request: BackgroundCheckRequest
        var profile: InstructorProfile
        var contact: InstructorContact
    }

    /// The candidate of an earlier check, or a new one.
    private func candidate(
        _ work: Work, _ place: Checkr.WorkLocation, _ checkr: Checkr, _ attempt: JobAttempt
    ) async throws -> String? {
        if let known = work.profile.check.candidateID { return known }
        let person = Checkr.Candidate(
            customID: work.profile.id.description, email: work.contact.email,
            firstName: work.contact.firstName,
            lastName: work.contact.lastName, place: place)
        let made = try await call(
            .candidate, work, attempt,
            lookUp: { try await checkr.findCandidate(person.customID) },
            make: { try await checkr.createCandidate(person, work.request.candidateKey) })
        guard let made else { return nil }
        let request = work.request
        try await attempt.database.transaction(attempt.context, category: .automated) { tx, unit in
            // Before the invitation, so that its webhooks find whom they are about.
            try tx.run(
                "UPDATE instructor_profiles SET checkr_candidate_id = \(made) WHERE id = \(request.instructorID)"
            )
            try request.move(to: .candidate, candidate: made, tx, unit.context)
        }
        return made
    }

    /// One call, once. Nil when there is nothing to go on with; the attempt is settled then.
    private func call(
        _ step: BackgroundCheckRequest.Status, _ work: Work, _ attempt: JobAttempt,
        lookUp: () async throws -> CheckrOutcome<String?>, make: () async throws -> CheckrOutcome<String>
    ) async throws -> String? {
        let request = work.request
        if request.status == step {
            switch try await lookUp() {
            case .done(let found?): return found
            case .done(nil): break
            case .refused(let problem): return try await nothing { try await refuse(work, problem, attempt) }
            case .busy(let wait):
                return try await nothing { try await attempt.settle { _, _ in .snooze(wait) } }
            case .unknown(let reason):
                return try await nothing { try await attempt.settle { _, _ in .retry(error: reason) } }
            }
        } else {
            try await attempt.database.transaction(attempt.context, category: .automated) { tx, unit in
                try request.move(to: step, tx, unit.context)
            }
        }
        switch try await make() {
        case .done(let id): return id
        case .refused(let problem): return try await nothing { try await refuse(work, problem, attempt) }
        case .busy(let wait): return try await nothing { try await attempt.settle { _, _ in .snooze(wait) } }
        case .unknown(let reason):
            return try await nothing { try await attempt.settle { _, _ in .retry(error: reason) } }
        }
    }

    private func nothing(_ body: () async throws -> Void) async throws -> String? {
        try await body()
        return nil
    }

    private func refuse(_ work: Work, _ problem: CheckrProblem, _ attempt: JobAttempt) async throws {
        let id = work.request.id
        try await attempt.settle { tx, unit in
            if let request = try BackgroundCheckRequest.lock(id, tx), request.status.isOpen {
                try request.fail(problem, tx, unit.context)
            }
            return .discard(error: problem.rawValue)
        }
    }

    private func finish(_ work: Work, _ candidate: String, _ invitation: String, _ attempt: JobAttempt)
        async throws
    {
        let request = work.request
        try await attempt.settle { tx, unit in
            let context = unit.context
            guard let profile = try InstructorProfile.lock(request.instructorID, tx) else {
                return .discard(error: "the profile is gone")
            }
            try profile.begin(request, candidate: candidate, invitation: invitation, tx, context)
            try request.move(to: .invited, candidate: candidate, invitation: invitation, tx, context)
            return .completed
        }
    }
}

extension BackgroundCheckRequest {
    /// Nothing is under way; the instructor may ask again.
    func fail(_ problem: CheckrProblem, _ tx: Transaction, _ context: Context) throws {
        try move(to: .failed, error: problem.rawValue, tx, context)
        try tx.audit(
            "instructor.bgc_\(kind.rawValue)", Subject("instructor", instructorID.description),
            status: .failed,
            error: problem.message)
    }
}

extension InstructorProfile {
    /// A check begins: what the one before left behind no longer counts.
    fileprivate func begin(
        _ request: BackgroundCheckRequest, candidate: String, invitation: String, _ tx: Transaction,
        _ context: Context
    ) throws {
        // The time before the call, so that whatever Checkr told meanwhile is later.
        try check(.pending, at: moment(context), tx, context)
        try invited(invitation, at: context.now, tx, context)
        try tx.run(
            """
            UPDATE instructor_profiles SET bgc_invited_at = \(context.environment.now()), \
            bgc_env = \(request.environment), checkr_candidate_id = \(candidate), bgc_in_dispute = \(false), \
            bgc_pre_adverse_notice_id = \(String?.none), bgc_pre_adverse_sent_at = \(Instant?.none), \
            bgc_final_adverse_sent_at = \(Instant?.none) WHERE id = \(id)
            """)
        try LifecycleEvent.bgcInitiated.record(userID, tx, context)
    }
}
