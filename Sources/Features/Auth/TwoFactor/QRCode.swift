import CQREncode
import FoundationEssentials
import Kernel

/// A text as a QR code (ISO/IEC 18004), drawn as SVG.
enum QRCode {
    /// Light modules around the code that readers need (§6.3.8).
    private static let border = 4

    /// `data:image/svg+xml;base64,…` for an `img` element.
    static func dataURL(_ text: String) throws -> String {
        "data:image/svg+xml;base64," + Data(try svg(text).utf8).base64EncodedString()
    }

    /// One path with a square per dark module.
    static func svg(_ text: String) throws -> String {
        guard let code = QRcode_encodeString8bit(text, 0, QR_ECLEVEL_M) else {
            throw Failure(.internal, "The text does not fit into a QR code.")
        }
        defer { QRcode_free(code) }
        let width = Int(code.pointee.width)
        guard let modules = code.pointee.data else { throw Failure(.internal, "The QR code is empty.") }
        var path = ""
        for row in 0..<width {
            for column in 0..<width where modules[row * width + column] & 1 == 1 {
                path += "M\(column + border) \(row + border)h1v1h-1z"
            }
        }
        let size = width + 2 * border
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(size) \(size)" shape-rendering="crispEdges">\
            <path fill="#fff" d="M0 0h\(size)v\(size)H0z"/><path d="\(path)"/></svg>
            """
    }
}
