import Synchronization
import Testing

@testable import Kernel

@Suite("A value made when first asked for")
struct LazyTests {
    @Test("is made once, by whoever asks first, and not before")
    func once() async {
        let made = Atomic(0)
        let lazy = Lazy { made.add(1, ordering: .relaxed).newValue }
        #expect(made.load(ordering: .relaxed) == 0)
        let values = await withTaskGroup(of: Int.self) { group in
            for _ in 0..<100 { group.addTask { lazy.value } }
            return await group.reduce(into: Set<Int>()) { $0.insert($1) }
        }
        #expect(values == [1])
        #expect(made.load(ordering: .relaxed) == 1)
    }
}
