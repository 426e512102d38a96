import { LineCounter, parseDocument } from 'yaml';
import * as z from 'zod';
import type { Catalog, Integration } from '../contracts/integration.ts';
import { Failure } from '../failures.ts';
import { type Problem, problemsOf, problemsText } from './problem.ts';
import { type Configuration, configurationSchema } from './schema.ts';

/** Fails with ConfigurationInvalid whose sentence lists every problem. */
export function loadConfiguration(text: string, catalog: Catalog): Configuration {
  const result = checkConfiguration(text, catalog);
  if ('problems' in result) {
    throw new Failure('ConfigurationInvalid', {
      sentence: `connector.yaml has ${result.problems.length} problem${result.problems.length === 1 ? '' : 's'}:\n${problemsText(result.problems)}`,
      fix: 'Correct the file; nothing was changed.',
    });
  }
  return result.configuration;
}

/** Reads connector.yaml and reports all mistakes at once, each with path, line, reason and fix. */
export function checkConfiguration(
  text: string,
  catalog: Catalog,
): { readonly configuration: Configuration } | { readonly problems: readonly Problem[] } {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, uniqueKeys: true });
  if (document.errors.length > 0) {
    return {
      problems: document.errors.map((error) => ({
        path: '',
        line: lines.linePos(error.pos[0]).line,
        reason: error.message.split('\n')[0] ?? 'is not YAML',
        fix: 'Correct the YAML at this line: indentation, quotes, a missing colon.',
      })),
    };
  }
  const raw: unknown = document.toJS();
  const parsed = configurationSchema.safeParse(raw);
  const problems = parsed.success ? [] : problemsOf(parsed.error);
  if (parsed.success) problems.push(...connectionProblems(parsed.data, catalog), ...integrationProblems(parsed.data, catalog));
  if (parsed.success && problems.length === 0) return { configuration: parsed.data };
  return { problems: problems.map((problem) => withLine(problem, document, lines)) };
}

function connectionProblems(configuration: Configuration, catalog: Catalog): Problem[] {
  return Object.entries(configuration.connections).flatMap(([name, connection]) => {
    const vendor = Object.values(catalog.vendors).find((candidate) => candidate.key === connection.vendor);
    if (!vendor) {
      const known = Object.keys(catalog.vendors).join(', ');
      return [
        {
          path: `connections.${name}.vendor`,
          reason: `"${connection.vendor}" is not a system this product connects`,
          fix: `Use one of: ${known}.`,
        },
      ];
    }
    const settings = vendor.settings.safeParse(connection.settings);
    return settings.success ? [] : problemsOf(settings.error, ['connections', name, 'settings']);
  });
}

function integrationProblems(configuration: Configuration, catalog: Catalog): Problem[] {
  return Object.entries(configuration.integrations).flatMap(([name, integration]) => {
    const path = `integrations.${name}`;
    const definition = catalog.integrations.find((candidate) => candidate.key === (integration.uses ?? name));
    if (!definition) {
      const known = catalog.integrations.map((candidate) => candidate.key).join(', ');
      return [
        {
          path: integration.uses === undefined ? path : `${path}.uses`,
          reason: `"${integration.uses ?? name}" is not an integration`,
          fix: `Name it, or set "uses" to, one of: ${known}.`,
        },
      ];
    }
    const sides = (['a', 'b'] as const).flatMap((side): Problem[] => {
      const connection = configuration.connections[integration[side]];
      const expected = definition.sides[side].key;
      if (!connection) {
        return [
          {
            path: `${path}.${side}`,
            reason: `there is no connection "${integration[side]}"`,
            fix: `Add it under connections, or name one of: ${Object.keys(configuration.connections).join(', ')}.`,
          },
        ];
      }
      return connection.vendor === expected
        ? []
        : [
            {
              path: `${path}.${side}`,
              reason: `connection "${integration[side]}" is ${connection.vendor}, and side ${side} of ${definition.key} is ${expected}`,
              fix: 'Swap a and b, or name another connection.',
            },
          ];
    });
    return [...sides, ...flowProblems(path, integration.flows, definition), ...settingProblems(path, integration.settings, definition)];
  });
}

function flowProblems(path: string, flows: Readonly<Record<string, unknown>>, definition: Integration): Problem[] {
  const known = [...definition.flows, ...definition.reports].map((flow) => flow.id);
  return Object.keys(flows)
    .filter((id) => !known.includes(id))
    .map((id) => ({
      path: `${path}.flows.${id}`,
      reason: `${definition.key} has no flow "${id}"`,
      fix: `Use one of: ${known.join(', ')}.`,
    }));
}

function settingProblems(path: string, settings: unknown, definition: Integration): Problem[] {
  const parsed = definition.settings.safeParse(settings);
  if (!parsed.success) return problemsOf(parsed.error, [...path.split('.'), 'settings']);
  return definition.contradictions(parsed.data).map((problem) => ({ ...problem, path: `${path}.settings.${problem.path}` }));
}

/** The line of the deepest part of the path that stands in the file. */
function withLine(problem: Problem, document: ReturnType<typeof parseDocument>, lines: LineCounter): Problem {
  const parts = problem.path
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  for (let depth = parts.length; depth > 0; depth -= 1) {
    const node = document.getIn(parts.slice(0, depth), true);
    if (node !== null && typeof node === 'object' && 'range' in node && Array.isArray(node.range)) {
      return { ...problem, line: lines.linePos(Number(node.range[0])).line };
    }
  }
  return problem;
}

/** JSON Schema of the whole file for editors: the settings of every vendor and integration in place. */
export function configurationJsonSchema(catalog: Catalog): Record<string, unknown> {
  const whole = z.toJSONSchema(configurationSchema, { io: 'input', unrepresentable: 'any' }) as {
    properties: Record<string, Record<string, unknown>>;
  };
  // Built from entries because a literal with a member named `then` looks like a promise to tools.
  const connections = Object.values(catalog.vendors).map((vendor) =>
    Object.fromEntries([
      ['if', { properties: { vendor: { const: vendor.key } } }],
      ['then', { properties: { settings: z.toJSONSchema(vendor.settings, { io: 'input', unrepresentable: 'any' }) } }],
    ]),
  );
  const integrations = Object.fromEntries(
    catalog.integrations.map((definition) => [
      definition.key,
      {
        allOf: [{ $ref: '#/$defs/integration' }],
        properties: {
          settings: z.toJSONSchema(definition.settings, { io: 'input', unrepresentable: 'any' }),
          flows: { propertyNames: { enum: [...definition.flows, ...definition.reports].map((flow) => flow.id) } },
        },
      },
    ]),
  );
  const connectionsSchema = whole.properties['connections'] ?? {};
  const integrationsSchema = whole.properties['integrations'] ?? {};
  const integration = integrationsSchema['additionalProperties'];
  return {
    ...whole,
    title: 'connector.yaml of ml-connector',
    $defs: { integration },
    properties: {
      ...whole.properties,
      connections: {
        ...connectionsSchema,
        additionalProperties: { ...(connectionsSchema['additionalProperties'] as object), allOf: connections },
      },
      integrations: { ...integrationsSchema, properties: integrations, additionalProperties: { $ref: '#/$defs/integration' } },
    },
  };
}
