import CPostgres

/// Translates the errors of PostgreSQL and libpq.
enum PostgresError {
    /// The server's refusal in a result.
    static func translated(_ result: OpaquePointer) -> StorageError {
        let state = field("C", of: result) ?? ""
        let text = field("M", of: result) ?? String(cString: PQresultErrorMessage(result))
        let message = field("n", of: result).map { "\(text) [\($0)]" } ?? text
        switch state {
        case "23505": return .uniqueViolation(message)
        case "23503": return .foreignKeyViolation(message)
        case "23514": return .checkViolation(message)
        case "23502": return .notNullViolation(message)
        case "P0001" where message.contains(Migration.appendOnlyMark): return .appendOnly(message)
        case "40001", "40P01": return .serialization(message)
        case _ where isStaleStatement(result): return .serialization(message)
        case "55P03": return .busy(message)
        case "57014": return .timeout("the statement ran longer than statementTimeout (\(message))")
        case "25P03": return .timeout("the transaction sat longer than idleInTransactionTimeout (\(message))")
        case "25006": return .readOnly(message)
        case "22021", "22P05": return .invalidValue(message)
        case "", "57P01", "57P02", "57P03", "57P05": return .connection(message)
        case _ where state.hasPrefix("08"): return .connection(message)
        default: return .other(code: state, message: message)
        }
    }

    /// Whether a statement was prepared before a change of the schema, so that it
    /// must be prepared again.
    static func isStaleStatement(_ result: OpaquePointer) -> Bool {
        switch field("C", of: result) {
        case "26000": true
        case "0A000": field("M", of: result)?.contains("cached plan") == true
        default: false
        }
    }

    /// What libpq has to say about the connection.
    static func connection(_ connection: OpaquePointer) -> StorageError {
        let text = String(cString: PQerrorMessage(connection))
        return .connection(text.isEmpty ? "the connection to PostgreSQL was lost" : text.trimmed)
    }

    private static func field(_ code: Unicode.Scalar, of result: OpaquePointer) -> String? {
        PQresultErrorField(result, Int32(code.value)).map { String(cString: $0) }
    }
}

extension String {
    /// Without white space at its end.
    var trimmed: String {
        var text = Substring(self)
        while text.last?.isWhitespace == true { text.removeLast() }
        return String(text)
    }
}
