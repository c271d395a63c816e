import { configSchemas } from "./config-schemas.ts";

const HEAD = `# Configuration files

Written by \`npm run docs\` from the code, and checked for drift.

\`bonafide server run --config server.yaml\` and \`bonafide agent run --config agent.yaml\` take one YAML file each, and so does \`bonafide oidc run\`; flags lie over the keys of the same name. \`server validate\` and \`agent validate\` read it and start nothing. Unknown keys are refused, and the nearest known one is named. Durations are written \`90s\`, \`15m\`, \`1h30m\`, \`7d\`. For editors there are JSON Schemas: [server](server.schema.json), [agent](agent.schema.json), [oidc](oidc.schema.json).

A server:

\`\`\`yaml server
trust_domain: example.org
data_dir: /var/lib/bonafide/server
listen: 0.0.0.0:8081
x509_svid_ttl: 1h
admin_ids:
  - spiffe://example.org/ops
\`\`\`

An agent, on each node:

\`\`\`yaml agent
trust_domain: example.org
data_dir: /var/lib/bonafide/agent
server: bonafide.example.org:8081
trust_bundle: /etc/bonafide/bundle.pem
join_token_file: /etc/bonafide/join-token
\`\`\`

An OIDC discovery provider:

\`\`\`yaml oidc
domains:
  - oidc.example.org
listen: 0.0.0.0:443
certificate: /etc/bonafide/oidc.crt
key: /etc/bonafide/oidc.key
server_socket: /var/lib/bonafide/server/private/admin.sock
\`\`\`
`;

interface Property {
  readonly type?: string;
  readonly default?: unknown;
  readonly description?: string;
  readonly enum?: readonly string[];
}

/** The page `docs/config/README.md`, out of the schemas of both files. */
export function renderConfigPage(): string {
  const sections = Object.entries(configSchemas()).map(([name, schema]) => {
    const { properties, required } = schemaOf(schema);
    const rows = Object.entries(properties).map(([key, property]) => {
      const given = required.includes(key) ? "required" : valueText(property.default);
      const meaning = [property.description ?? "", property.enum?.join(", ") ?? ""];
      return `| \`${key}\` | ${given} | ${meaning.filter((text) => text !== "").join(": ")} |`;
    });
    return [`## ${name}.yaml`, "", "| key | default | meaning |", "| --- | --- | --- |", ...rows];
  });
  return [HEAD, ...sections.map((lines) => `${lines.join("\n")}\n`)].join("\n");
}

function schemaOf(schema: unknown): {
  readonly properties: Readonly<Record<string, Property>>;
  readonly required: readonly string[];
} {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a JSON Schema of an object, made by our own code
  return schema as {
    readonly properties: Readonly<Record<string, Property>>;
    readonly required: readonly string[];
  };
}

function valueText(value: unknown): string {
  if (value === undefined) return "";
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return `\`${text}\``;
}
