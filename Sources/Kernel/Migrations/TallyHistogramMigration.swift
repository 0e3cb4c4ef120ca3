import Storage

/// Roll-ups of packed tallies, a text of counts each; those of jobs move there.
let tallyHistogramMigration = Migration("0106_tally_histograms") { dialect in
    let joined: SQL = dialect == .sqlite ? "group_concat" : "string_agg"
    return [
        """
        CREATE TABLE tally_histograms (
            metric TEXT NOT NULL, grain TEXT NOT NULL, bucket BIGINT NOT NULL, d1 TEXT NOT NULL, d2 TEXT NOT NULL,
            d4 TEXT NOT NULL, counts TEXT NOT NULL, PRIMARY KEY (metric, grain, bucket, d1, d2, d4))
        """,
        """
        INSERT INTO tally_histograms (metric, grain, bucket, d1, d2, d4, counts)
        SELECT metric, grain, bucket, d1, d2, d4, \(joined)(d3 || ':' || CAST(count AS TEXT), ' ')
        FROM tallies WHERE metric = 'tasks' GROUP BY metric, grain, bucket, d1, d2, d4
        """,
        "DELETE FROM tallies WHERE metric = 'tasks'",
    ]
}
