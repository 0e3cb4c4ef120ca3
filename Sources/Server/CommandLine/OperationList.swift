import Features
import Kernel

/// What `call` can run, for somebody at a terminal.
package enum OperationList {
    /// Every operation with its arguments as they are typed.
    package static func text() -> String {
        OperationCatalog(allFeatures).tools.map(section).joined(separator: "\n\n")
    }

    private static func section(_ operation: OperationDescriptor) -> String {
        let arguments = operation.parameters.map { parameter in
            let name = "--" + parameter.name.replacing("_", with: "-")
            return "  \(name)  \(parameter.summary)\(parameter.isRequired ? " Required." : "")"
        }
        return (["\(operation.name): \(operation.summary)"] + arguments).joined(separator: "\n")
    }
}
