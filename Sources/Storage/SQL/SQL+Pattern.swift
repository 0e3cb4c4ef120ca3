extension SQL {
    /// A condition: the column's text holds this one somewhere, whatever the case of
    /// ASCII letters. What means something in a pattern stands for itself.
    package static func contains(_ column: SQL, _ text: String) -> SQL {
        let escaped = text.map { "!%_".contains($0) ? "!\($0)" : "\($0)" }.joined()
        return "\(column) \(.ilike) \("%\(escaped)%") ESCAPE '!'"
    }
}
