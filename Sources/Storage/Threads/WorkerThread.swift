import CPostgres
import Glibc

/// Starts a thread of the operating system.
///
/// The engines block in `read` and `fsync`, which must not take a thread from
/// Swift's own pool. `name` is shown by `top -H` and cut to 15 characters.
/// Throws when the system is out of threads.
func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws {
    let work = Unmanaged.passRetained(ThreadBody(body))
    var thread = pthread_t()
    let code = pthread_create(
        &thread, nil,
        { argument in
            guard let argument else { return nil }
            Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().body()
            return nil
        }, work.toOpaque())
    guard code == 0 else {
        work.release()
        throw StorageError.other(code: "\(code)", message: "cannot start a thread")
    }
    _ = pthread_setname_np(thread, String(name.prefix(15)))
    pthread_detach(thread)
}

/// Carries a closure through the C interface.
private final class ThreadBody: Sendable {
    let body: @Sendable () -> Void
    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
}
