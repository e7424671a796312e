// The rules of normalisation.md, one function each.

/** Rule 2: what a request need not say because it is what the endpoint assumes. */
function dropDefaults(request) {
  if (request.stream === false) delete request.stream;
}

/** Rule 3: an assistant's text in parts is the parts' text; what the parts say beside it came from the answer. */
function joinParts(message) {
  if (message.role !== "assistant" || !Array.isArray(message.content)) return;
  if (message.content.every((part) => part.type === "text"))
    message.content = message.content.map((part) => part.text).join("");
}

/** Rule 4: members of a tool that say what holds without them. */
function dropToolDefaults({ function: tool }) {
  if (tool.strict === false) delete tool.strict;
  if (tool.description === "") delete tool.description;
  const schema = tool.parameters;
  if (schema.additionalProperties === true) delete schema.additionalProperties;
  if (schema.required?.length === 0) delete schema.required;
  if (Object.keys(schema.properties ?? {}).length === 0) delete schema.properties;
}

/** A request as it is compared; the original stays as it is. Rule 1, the order of members, is up to `differences`. */
export function normalise(request) {
  const made = structuredClone(request);
  dropDefaults(made);
  made.messages.forEach(joinParts);
  made.tools?.forEach(dropToolDefaults);
  return made;
}
