import Storage

/// Tells events that were sent from those that were asked for.
let webhookOriginMigration = Migration("0196_webhook_origin") { _ in
    [
        """
        ALTER TABLE webhook_events ADD COLUMN origin TEXT NOT NULL DEFAULT 'delivered'
        CHECK (origin IN ('delivered', 'reconciled'))
        """
    ]
}
