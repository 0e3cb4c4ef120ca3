/// Which of the two databases a statement is rendered for.
///
/// SQL is written once, in the subset both accept. What honestly differs is a
/// `switch` over this type in the record type that needs it.
package enum Dialect: String, Sendable, CaseIterable {
    case sqlite, postgres
}
