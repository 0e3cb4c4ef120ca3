package import AsyncHTTPClient
package import Kernel
import NIOCore
import NIOHTTP1

extension Clients {
    /// The outside world over HTTP, with a time-out and a limit on what is read.
    package static func live(_ http: HTTPClient) -> Clients {
        Clients(post: { url, headers, body in
            var request = HTTPClientRequest(url: url)
            request.method = .POST
            for (name, value) in headers { request.headers.add(name: name, value: value) }
            request.body = .bytes(body)
            let response = try await http.execute(request, timeout: .seconds(30))
            let bytes = try await response.body.collect(upTo: 8 << 20)
            return HTTPAnswer(status: Int(response.status.code), body: Array(bytes.readableBytesView))
        })
    }
}
