import FoundationEssentials
package import Testing

/// Compares `actual` with the file of that name beside the test, under
/// `__Snapshots__`. Rewrites the file when `UPDATE_SNAPSHOTS` is set. A missing
/// file fails where `CI` is set and is recorded elsewhere.
package func expectSnapshot(
    _ actual: String, named name: String,
    at location: SourceLocation = #_sourceLocation, file: String = #filePath
) throws {
    let url = URL(filePath: file).deletingLastPathComponent().appending(path: "__Snapshots__/\(name)")
    let environment = ProcessInfo.processInfo.environment
    let recorded = try? String(contentsOf: url, encoding: .utf8)
    if environment["UPDATE_SNAPSHOTS"] != nil || (recorded == nil && environment["CI"] == nil) {
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try actual.write(to: url, atomically: true, encoding: .utf8)
    } else {
        #expect(actual == recorded, "run `make snapshots` if this change is meant", sourceLocation: location)
    }
}
