import Kernel
import Storage

/// Whether two-factor sign-in is on.
struct ShowTwoFactor: Query {
    static let name = "two_factor_status"
    static let title = "Show two-factor sign-in"
    static let summary = "Whether two-factor sign-in is on, since when, and how many backup codes are left."
    static let audience = Audience.users
    static let route = Route.get("2fa/status")

    struct Output: Codable, Sendable {
        var enabled: Bool
        var verifiedAt: String?
        var lastUsedAt: String?
        var backupCodesLeft: Int
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        let (factor, left) = try await db.read { db in
            (try TwoFactor.find(user, db), try BackupCodes.left(user, db))
        }
        return Output(
            enabled: factor != nil, verifiedAt: factor?.enabledAt.description,
            lastUsedAt: factor?.lastUsedAt?.description, backupCodesLeft: left)
    }
}

/// Devices that are not asked for the second factor.
struct ListTrustedDevices: Query {
    static let name = "trusted_devices_list"
    static let title = "List one's trusted devices"
    static let summary = "Devices that are not asked for a code, newest first."
    static let audience = Audience.users
    static let route = Route.get("2fa/trusted-devices")

    struct Device: Codable, Sendable {
        var id: String
        var name: String
        var ip: String?
        var createdAt: String
        var expiresAt: String
        var lastUsedAt: String?
    }

    struct Output: Codable, Sendable {
        var devices: [Device]
    }

    func run(_ db: Reader, _ context: Context) async throws -> Output {
        let user = try context.userID()
        let devices = try await db.read { try TrustedDevice.list(user, $0, now: context.now) }
        return Output(
            devices: devices.map { device in
                Device(
                    id: device.id.description, name: device.name, ip: device.ip,
                    createdAt: device.createdAt.description, expiresAt: device.expiresAt.description,
                    lastUsedAt: device.lastUsedAt?.description)
            })
    }
}

/// Asks a device for the second factor again.
struct RemoveTrustedDevice: Command {
    static let name = "trusted_device_revoke"
    static let title = "Trust a device no longer"
    static let summary = "Ask a device for a code again."
    static let effect = Effect.reversible
    static let audience = Audience.users
    static let action = "user.trusted_device_revoke"
    static let route = Route.delete("2fa/trusted-devices/:device_id")

    @Input("The device.") var deviceID: ULID

    struct Output: Codable, Sendable {
        var id: String
        var isRevoked = true
    }

    func run(_ tx: Transaction, _ context: Context) throws -> Output {
        guard try TrustedDevice.remove(deviceID, of: try context.userID(), tx) else {
            throw Failure(
                .notFound, "You have no trusted device with the id \(deviceID).",
                hint: "GET 2fa/trusted-devices lists them.", reason: "device_not_found")
        }
        return Output(id: deviceID.description)
    }
}
