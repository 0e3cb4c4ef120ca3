import Synchronization

/// A value that is made when it is first asked for, once, and then kept.
///
/// For what costs a process time to make and most processes never show, such as the
/// schemas of answers. Callers on several threads wait for the one that makes it.
package final class Lazy<Value: Sendable>: Sendable {
    private enum State {
        case unmade(@Sendable () -> Value)
        case made(Value)
    }
    private let state: Mutex<State>

    package init(_ make: @escaping @Sendable () -> Value) {
        state = Mutex(.unmade(make))
    }

    /// - Precondition: `make` does not ask for this same value.
    package var value: Value {
        state.withLock { state in
            switch state {
            case .made(let value): return value
            case .unmade(let make):
                let value = make()
                state = .made(value)
                return value
            }
        }
    }
}
