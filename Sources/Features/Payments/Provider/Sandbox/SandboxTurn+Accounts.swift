import JSON
import Kernel
import Storage

// Instructors' accounts, and who they are.
extension SandboxTurn {
    static let days = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]

    func createAccount(_ given: String? = nil) throws -> SandboxObject {
        let type = try choice("type", of: ["express", "standard", "custom"], otherwise: "express")
        let id = given ?? id("acct")
        var capabilities: JSONObject = [:]
        for name in ["card_payments", "transfers"] where try bool("capabilities[\(name)][requested]") {
            capabilities[name] = "inactive"
        }
        let due: JSONValue = ["business_profile.url", "external_account", "tos_acceptance.date"]
        let account = SandboxObject(
            "account", id: id, at: now,
            [
                "business_profile": [
                    "mcc": .null, "name": .null, "product_description": .null, "support_address": .null,
                    "support_email": .null, "support_phone": .null, "support_url": .null, "url": .null,
                ],
                "business_type": .text(form["business_type"]), "capabilities": .object(capabilities),
                "charges_enabled": false, "country": .string(form["country"] ?? "US"),
                "default_currency": "usd", "details_submitted": false, "email": .text(form["email"]),
                "external_accounts": [
                    "data": [], "has_more": false, "object": "list", "total_count": 0,
                    "url": .string("/v1/accounts/\(id)/external_accounts"),
                ],
                "metadata": try metadata(), "payouts_enabled": false,
                "requirements": [
                    "alternatives": [], "current_deadline": .null, "currently_due": due,
                    "disabled_reason": "requirements.past_due", "errors": [], "eventually_due": due,
                    "past_due": due, "pending_verification": [],
                ],
                "settings": .object(try settings([:])), "tos_acceptance": ["date": .null],
                "type": .string(type),
            ])
        add(account)
        return account
    }

    func updateAccount(_ id: String) throws -> JSONObject {
        var account = try lock("account", id)
        account.body["settings"] = .object(
            try settings(account.body["settings"]?["payouts"]?["schedule"]?.objectValue ?? [:]))
        account.body["metadata"] = try metadata(over: account.body["metadata"]?.objectValue)
        if let email = form["email"] { account.body["email"] = .string(email) }
        for name in ["card_payments", "transfers"] where try bool("capabilities[\(name)][requested]") {
            var capabilities = account.body["capabilities"]?.objectValue ?? [:]
            guard capabilities[name] == nil else { continue }
            capabilities[name] = account.body["details_submitted"] == true ? "active" : "inactive"
            account.body["capabilities"] = .object(capabilities)
        }
        try save(account)
        tell("account.updated", account, account: id)
        return account.body
    }

    private func settings(_ old: JSONObject) throws -> JSONObject {
        let prefix = "settings[payouts][schedule]"
        var schedule: JSONObject = ["delay_days": 2, "interval": "daily"]
        schedule.merge(old)
        if form["\(prefix)[interval]"] != nil {
            let interval = try choice(
                "\(prefix)[interval]", of: ["manual", "daily", "weekly", "monthly"], otherwise: "daily")
            schedule["interval"] = .string(interval)
            schedule["weekly_anchor"] = nil
            if interval == "weekly" {
                _ = try need("\(prefix)[weekly_anchor]")
                schedule["weekly_anchor"] = .string(
                    try choice("\(prefix)[weekly_anchor]", of: Self.days, otherwise: ""))
            }
        }
        return [
            "branding": [
                "icon": .null, "logo": .null, "primary_color": .null, "secondary_color": .null,
            ],
            "card_payments": [
                "decline_on": ["avs_failure": false, "cvc_failure": false],
                "statement_descriptor_prefix": .null,
            ],
            "dashboard": ["display_name": .null, "timezone": "America/New_York"],
            "payments": ["statement_descriptor": .null],
            "payouts": [
                "debit_negative_balances": true, "schedule": .object(schedule), "statement_descriptor": .null,
            ],
        ]
    }

    func createAccountLink() throws -> JSONObject {
        let id = try need("account")
        _ = try find("account", id, param: "account")
        let back = try need("return_url")
        _ = try need("refresh_url")
        _ = try choice("type", of: ["account_onboarding", "account_update"], otherwise: "")
        let query = "?return_url=" + ServiceURL.escaped(back)
        return [
            "created": .int(now.wholeSeconds), "expires_at": .int(now.wholeSeconds + 300),
            "object": "account_link",
            "url": .string(StripeSandbox.address(context) + "/visit/\(id)" + query),
        ]
    }

    func createLoginLink(_ id: String) throws -> JSONObject {
        let account = try find("account", id)
        guard account.body["details_submitted"] == true else {
            throw SandboxRefusal.state(
                "account_invalid",
                "Cannot create a login link for an account that has not completed onboarding.")
        }
        return [
            "created": .int(now.wholeSeconds), "object": "login_link",
            "url": .string(StripeSandbox.address(context) + "/express/\(id)"),
        ]
    }

    /// All that Stripe wants to know is told.
    func onboard(_ account: inout SandboxObject) throws {
        var capabilities = account.body["capabilities"]?.objectValue ?? [:]
        for name in capabilities.keys { capabilities[name] = "active" }
        account.body.merge([
            "capabilities": .object(capabilities), "charges_enabled": true, "details_submitted": true,
            "payouts_enabled": true,
            "requirements": [
                "alternatives": [], "current_deadline": .null, "currently_due": [], "disabled_reason": .null,
                "errors": [], "eventually_due": [], "past_due": [], "pending_verification": [],
            ],
            "tos_acceptance": ["date": .int(now.wholeSeconds)],
        ])
        try save(account)
        tell("account.updated", account, account: account.id)
    }

    func createIdentitySession() throws -> JSONObject {
        let type = try need("type")
        _ = try choice("type", of: ["document", "id_number"], otherwise: "")
        let id = id("vs")
        var session = SandboxObject(
            "identity.verification_session", id: id, at: now,
            [
                "client_reference_id": .text(form["client_reference_id"]), "client_secret": secret(id),
                "last_error": .null, "last_verification_report": .null, "metadata": try metadata(),
                "options": type == "document" ? ["document": [:]] : ["id_number": [:]], "redaction": .null,
                "status": "requires_input", "type": .string(type),
                "url": .string(StripeSandbox.address(context) + "/visit/\(id)"),
            ])
        session.owner = form["client_reference_id"]
        add(session)
        tell("identity.verification_session.created", session)
        return session.body
    }

    func conclude(_ session: inout SandboxObject, error: String?) throws {
        guard session.status == "requires_input" || session.status == "processing" else {
            throw SandboxRefusal.state(nil, "The session is \(session.status).")
        }
        session.body["status"] = "processing"
        tell("identity.verification_session.processing", session)
        if let error {
            session.body["status"] = "requires_input"
            session.body["last_error"] = [
                "code": .string(error), "reason": "The document could not be verified.",
            ]
        } else {
            session.body["status"] = "verified"
            (session.body["last_error"], session.body["url"]) = (.null, .null)
            (session.body["client_secret"], session.body["last_verification_report"]) = (
                .null, .string(id("vr"))
            )
        }
        try save(session)
        tell("identity.verification_session." + (error == nil ? "verified" : "requires_input"), session)
    }
}
