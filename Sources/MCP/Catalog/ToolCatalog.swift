import JSON

/// The tools one kind of caller may see, encoded and indexed once.
///
/// Build one per distinct set of tools and keep it; `tools/list` copies its
/// bytes. Of tools with one name only the first is kept.
package struct ToolCatalog: Sendable {
    package let tools: [MCPTool]
    package let caching: Caching
    let list: EncodedList
    private let byName: [String: Int]
    private let headerParameters: [String: [HeaderParameter]]

    package init(_ tools: [MCPTool], caching: Caching = Caching(milliseconds: 300_000, scope: .private)) {
        var byName: [String: Int] = [:]
        var kept: [MCPTool] = []
        var headerParameters: [String: [HeaderParameter]] = [:]
        for tool in tools where byName[tool.name] == nil {
            byName[tool.name] = kept.count
            kept.append(tool)
            let parameters = HeaderParameter.find(in: tool.inputSchema)
            if !parameters.isEmpty { headerParameters[tool.name] = parameters }
        }
        self.tools = kept
        self.caching = caching
        self.byName = byName
        self.headerParameters = headerParameters
        list = EncodedList("tools", kept) { $0.write(to: &$1, for: $2) }
    }

    package subscript(_ name: String) -> MCPTool? { byName[name].map { tools[$0] } }

    /// How many bytes the list takes in a revision; answers are a budget.
    package func size(for revision: Revision) -> Int { list.members(for: revision).count }

    func headerParameters(of tool: String) -> [HeaderParameter] { headerParameters[tool] ?? [] }
}
