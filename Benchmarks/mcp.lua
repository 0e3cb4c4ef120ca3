-- One kind of call, for wrk:
--
--   wrk -t2 -c32 -d10s --latency -s mcp.lua http://127.0.0.1:8000 -- webhook_detail TOKEN ids.txt
--
-- Prints one line of JSON with what was measured. Ids are read from a file, one
-- per line, and taken in turn.

local revision = "2026-07-28"
local meta = '"_meta":{"io.modelcontextprotocol/protocolVersion":"' .. revision ..
    '","io.modelcontextprotocol/clientCapabilities":{}}'

local function modern(token, method, name, params)
    local headers = {
        ["Content-Type"] = "application/json", ["Accept"] = "application/json, text/event-stream",
        ["Authorization"] = "Bearer " .. token, ["MCP-Protocol-Version"] = revision, ["Mcp-Method"] = method,
    }
    if name then headers["Mcp-Name"] = name end
    local body = '{"jsonrpc":"2.0","id":7,"method":"' .. method .. '","params":{' ..
        (params and params .. "," or "") .. meta .. "}}"
    return wrk.format("POST", "/mcp", headers, body)
end

local function tool(token, name, arguments)
    name = "instainstru_" .. name
    return modern(token, "tools/call", name, '"name":"' .. name .. '","arguments":' .. arguments)
end

local function page(path, token)
    local headers = { ["Accept"] = "application/json" }
    if token then headers["Authorization"] = "Bearer " .. token end
    return wrk.format("GET", "/api/v1/" .. path, headers)
end

local kinds = {
    ["echo"] = function(token, id)
        local headers = { ["Content-Type"] = "application/json", ["Authorization"] = "Bearer " .. token }
        local body = '{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"instainstru_webhook_detail",' ..
            '"arguments":{"event_id":"' .. id .. '"},' .. meta .. "}}"
        return wrk.format("POST", "/echo", headers, body)
    end,
    ["server/discover"] = function(token) return modern(token, "server/discover") end,
    ["tools/list"] = function(token) return modern(token, "tools/list") end,
    ["ping"] = function(token)
        local headers = {
            ["Content-Type"] = "application/json", ["Accept"] = "application/json, text/event-stream",
            ["Authorization"] = "Bearer " .. token, ["MCP-Protocol-Version"] = "2025-11-25",
        }
        return wrk.format("POST", "/mcp", headers, '{"jsonrpc":"2.0","id":7,"method":"ping"}')
    end,
    ["webhook_detail"] = function(token, id) return tool(token, "webhook_detail", '{"event_id":"' .. id .. '"}') end,
    ["webhooks_list"] = function(token) return tool(token, "webhooks_list", '{"limit":50}') end,
    ["audit_search"] = function(token) return tool(token, "audit_search", '{"limit":100}') end,
    ["auth/me"] = function(token) return page("auth/me", token) end,
    ["instructor"] = function(_, id) return page("instructors/" .. id) end,
    ["catalog"] = function() return page("services/catalog") end,
    ["availability"] = function(_, id) return page("public/instructors/" .. id .. "/availability") end,
    ["search"] = function(_, words) return page("search?q=" .. words) end,
    ["health"] = function() return wrk.format("GET", "/health") end,
}

local prepared, turn = {}, 0

function init(args)
    local make, token = kinds[args[1]], args[2] or ""
    if not make then error("there is no call named " .. tostring(args[1])) end
    if args[3] then
        for id in io.lines(args[3]) do prepared[#prepared + 1] = make(token, id) end
    end
    if #prepared == 0 then prepared[1] = make(token, "01J00000000000000000000000") end
end

function request()
    turn = turn % #prepared + 1
    return prepared[turn]
end

function done(summary, latency, requests)
    local errors = summary.errors
    print(string.format(
        '{"requests":%d,"seconds":%.6f,"per_second":%.1f,"p50_ms":%.3f,"p95_ms":%.3f,"p99_ms":%.3f,"bytes":%d,"failed":%d}',
        summary.requests, summary.duration / 1e6, summary.requests / (summary.duration / 1e6),
        latency:percentile(50) / 1e3, latency:percentile(95) / 1e3, latency:percentile(99) / 1e3, summary.bytes,
        errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
