import Synchronization

/// Bounds how many test platforms are open at a time, so that a hundred tests
/// that start together do not ask for a thousand connections.
actor PlatformLimit {
    static let shared = PlatformLimit(6)

    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(_ count: Int) { free = count }

    func enter() async {
        if free > 0 {
            free -= 1
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }

    func leave() {
        if waiting.isEmpty {
            free += 1
        } else {
            waiting.removeFirst().resume()
        }
    }
}
