import type { ConfigurationChange } from './schema.ts';

type Fields = Readonly<Record<string, unknown>>;

const isFields = (value: unknown): value is Fields => value !== null && typeof value === 'object' && !Array.isArray(value);

/** Members of `over` in place of those of `under`, objects member by member; `null` removes one, lists are replaced whole. */
function layOver(under: unknown, over: unknown): unknown {
  if (!isFields(over)) return over;
  const result: Record<string, unknown> = isFields(under) ? { ...under } : {};
  for (const [name, value] of Object.entries(over)) {
    if (value === null) delete result[name];
    else result[name] = layOver(result[name], value);
  }
  return result;
}

/** connector.yaml as data with the change of a scenario: settings, flows and mode of the integration, settings of connections by system. */
export function changedConfiguration(written: Fields, integration: string, change: ConfigurationChange): Record<string, unknown> {
  const integrations = isFields(written['integrations']) ? written['integrations'] : {};
  const connections = isFields(written['connections']) ? written['connections'] : {};
  return {
    ...written,
    connections: Object.fromEntries(
      Object.entries(connections).map(([name, connection]) => {
        const system = isFields(connection) ? String(connection['vendor']) : '';
        const own = change.connections?.[system];
        return [name, own === undefined ? connection : layOver(connection, { settings: own })];
      }),
    ),
    integrations: {
      ...integrations,
      [integration]: layOver(integrations[integration], {
        ...(change.settings === undefined ? {} : { settings: change.settings }),
        ...(change.flows === undefined ? {} : { flows: change.flows }),
        ...(change.mode === undefined ? {} : { mode: change.mode }),
      }),
    },
  };
}

/** The part of somebody's connector.yaml that a scenario takes over: decisions about the integration, not addresses or credentials. */
export function integrationOf(written: unknown, integration: string): Fields | undefined {
  const integrations = isFields(written) ? written['integrations'] : undefined;
  if (!isFields(integrations)) return undefined;
  const own = Object.entries(integrations).find(([name, one]) => isFields(one) && (one['uses'] ?? name) === integration)?.[1];
  if (!isFields(own)) return undefined;
  const { settings, flows, mode } = own;
  return Object.fromEntries(Object.entries({ settings, flows, mode }).filter(([, value]) => value !== undefined));
}

/** connector.yaml of the company with these decisions in place of its own. */
export function withDecisions(written: Fields, integration: string, decisions: Fields): Record<string, unknown> {
  const integrations = isFields(written['integrations']) ? written['integrations'] : {};
  const own = isFields(integrations[integration]) ? integrations[integration] : {};
  return { ...written, integrations: { ...integrations, [integration]: { ...own, ...decisions } } };
}
