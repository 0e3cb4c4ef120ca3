package import Storage

/// What an answer says of itself and of who asked.
package struct AnswerMeta: Codable, Sendable {
    package struct Asker: Codable, Sendable {
        package var id: String
        /// The human behind the token; its name when it has none.
        package var email: String
        /// `user` for a person who signed in, `service` for a token or the platform.
        package var principalType: String
    }
    package var requestID: String
    package var generatedAt: Instant
    package var actor: Asker

    package init(_ context: Context) {
        let actor = context.actor
        requestID = context.requestID
        generatedAt = context.now
        self.actor = Asker(
            id: actor.id ?? actor.name, email: actor.email ?? actor.name,
            principalType: actor.isPerson ? "user" : "service")
    }
}
