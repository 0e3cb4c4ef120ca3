// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours compiles in Swift 6 mode with warnings as errors;
/// internal imports keep the directions of `Docs/architecture.md` honest.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .treatAllWarnings(as: .error),
]

let package = Package(
    name: "instainstru",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "instainstru", targets: ["instainstru"]),
        .executable(name: "mcp-conformance", targets: ["mcp-conformance"]),
    ],
    // Each dependency's reason: Docs/decisions/0002-dependencies.md
    dependencies: [
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-collections", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration", from: "1.4.0"),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/vapor/jwt-kit", from: "5.7.1"),
    ],
    targets: [
        // libpq, found by pkg-config.
        .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        // Argon2id and QR codes, found by pkg-config.
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .systemLibrary(name: "CQREncode", pkgConfig: "libqrencode", providers: [.apt(["libqrencode-dev"])]),
        // Ordered JSON value, parser, writer, Codable bridge. Imports nothing.
        .target(name: "JSON", swiftSettings: strict),
        // SQL, transactions and migrations over SQLite and PostgreSQL. Knows no table.
        .target(
            name: "Storage",
            dependencies: [
                "CPostgres", "JSON",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        // Operations, runner, audit log, jobs, webhook ledger, identity. Knows no marketplace noun.
        .target(
            name: "Kernel",
            dependencies: [
                "Storage", "JSON",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            swiftSettings: strict),
        // The Model Context Protocol: messages, revisions, transports as values.
        .target(name: "MCP", dependencies: ["JSON"], swiftSettings: strict),
        // The product: one folder per feature.
        .target(
            name: "Features",
            dependencies: [
                "CArgon2", "CQREncode", "Kernel", "Storage", "JSON",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "JWTKit", package: "jwt-kit"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        // Composition root and surfaces: MCP, HTTP, webhooks, command line.
        .target(
            name: "Server",
            dependencies: [
                "Features", "Kernel", "Storage", "JSON", "MCP",
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            swiftSettings: strict),
        // The one binary: serve, worker, demo, migrate, call, token, audit, doctor, docs.
        .executableTarget(
            name: "instainstru",
            dependencies: [
                "Server", "Kernel", "Storage", "JSON", "MCP",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        // The fixtures of the public MCP conformance suite, on the same library. Never shipped.
        .executableTarget(
            name: "mcp-conformance",
            dependencies: [
                "MCP", "Server", "JSON", .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
            ],
            swiftSettings: strict),
        // The bare ceiling of the benchmarks. Never shipped.
        .executableTarget(
            name: "bench-echo", dependencies: [.product(name: "Hummingbird", package: "hummingbird")],
            swiftSettings: strict),
        // The job engine with nothing around it, for `make jobs` and the benchmarks. Never shipped.
        .executableTarget(
            name: "bench-jobs",
            dependencies: [
                "Kernel", "Storage",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            swiftSettings: strict),
        // Databases, snapshots and clocks for tests.
        .target(
            name: "TestSupport",
            dependencies: ["Storage", .product(name: "Logging", package: "swift-log")],
            path: "Tests/TestSupport", swiftSettings: strict),
        // The kernel and the features on a test's own clock, ids and database.
        .target(
            name: "PlatformSupport",
            dependencies: [
                "Features", "Kernel", "Storage", "JSON", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
            ],
            path: "Tests/PlatformSupport", swiftSettings: strict),
        // Rules about the source itself.
        .testTarget(name: "TidyTests", swiftSettings: strict),
        .testTarget(name: "JSONTests", dependencies: ["JSON"], swiftSettings: strict),
        .testTarget(
            name: "StorageTests", dependencies: ["Storage", "JSON", "TestSupport"], swiftSettings: strict),
        .testTarget(
            name: "KernelTests",
            dependencies: [
                "Kernel", "Features", "Storage", "JSON", "TestSupport", "PlatformSupport",
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "ServiceLifecycleTestKit", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ], swiftSettings: strict),
        .testTarget(name: "MCPTests", dependencies: ["MCP", "JSON"], swiftSettings: strict),
        .testTarget(
            name: "FeaturesTests",
            dependencies: ["Features", "Kernel", "Storage", "JSON", "TestSupport", "PlatformSupport"],
            exclude: ["Fixtures", "__Snapshots__"],
            swiftSettings: strict),
        .testTarget(
            name: "ServerTests",
            dependencies: [
                "Server", "Features", "Kernel", "Storage", "JSON", "MCP", "TestSupport",
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Logging", package: "swift-log"),
            ],
            swiftSettings: strict),
        // The Flower adapter against a real Celery cluster; see Scripts/with-celery.
        .testTarget(
            name: "CeleryTests",
            dependencies: [
                "Server", "Features", "Kernel", "Storage", "JSON",
            ],
            swiftSettings: strict),
    ])
