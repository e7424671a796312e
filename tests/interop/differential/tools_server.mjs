// An MCP server over stdio with the tools of support/tools.mjs.

import { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { CallToolRequestSchema, ListToolsRequestSchema } from "@modelcontextprotocol/sdk/types.js";

import { tools } from "./support/tools.mjs";

const server = new Server({ name: "tools", version: "1.0.0" }, { capabilities: { tools: {} } });
server.setRequestHandler(ListToolsRequestSchema, () => ({
  tools: Object.entries(tools).map(([name, { description, inputSchema }]) => ({ name, description, inputSchema })),
}));
server.setRequestHandler(CallToolRequestSchema, ({ params }) => {
  const tool = tools[params.name];
  if (!tool) throw new Error(`no tool ${params.name}`);
  return tool.run(params.arguments ?? {});
});
await server.connect(new StdioServerTransport());
