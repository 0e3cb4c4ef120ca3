package import Kernel

extension Feature {
    /// What students and instructors write to each other.
    package static let messages = Feature(
        name: "messages", summary: "Conversations of students and instructors.",
        operations: [
            ListConversations.self, StartConversation.self, ShowConversation.self, MoveConversation.self,
            ListMessages.self, WriteMessage.self, EditMessage.self, DeleteMessage.self,
            MarkMessagesRead.self,
            CountMessages.self, ShowMessageRules.self,
        ],
        migrations: [messageMigration])
}
