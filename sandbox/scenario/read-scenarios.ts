import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { type Document, LineCounter, parse, parseAllDocuments, type ScalarTag, stringify, type Tags } from 'yaml';
import { checkConfiguration } from '../../lib/configuration/load.ts';
import { type Problem, problemsOf } from '../../lib/configuration/problem.ts';
import type { Catalog } from '../../lib/contracts/integration.ts';
import type { Company } from '../company.ts';
import { changedConfiguration, integrationOf, withDecisions } from './lay-over.ts';
import { type Scenario, scenarioSchema } from './schema.ts';

/** A scenario as it stands in a file, ready to run. */
export interface ReadScenario {
  readonly file: string;
  readonly scenario: Scenario;
  readonly company: Company;
  /** Line of a step in the file. */
  readonly lineOfStep: (index: number) => number | undefined;
}

export interface FileProblem extends Problem {
  readonly file: string;
}

export interface Known {
  readonly catalog: Catalog;
  readonly companies: readonly Company[];
}

/** The scenario files a person named: files as they are, directories with every .yaml below them in the order of their names. */
export function findFiles(names: readonly string[]): { readonly files: readonly string[]; readonly problems: readonly FileProblem[] } {
  const files: string[] = [];
  const problems: FileProblem[] = [];
  for (const name of names) {
    try {
      const found = statSync(name).isDirectory() ? yamlBelow(name) : [name];
      if (found.length === 0) problems.push(unusable(name, 'holds no .yaml file', 'Name a scenario file, or a directory with some.'));
      files.push(...found);
    } catch (error) {
      problems.push(unusable(name, `cannot be opened (${codeOf(error)})`, 'Check the path.'));
    }
  }
  return { files, problems };
}

function yamlBelow(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true })
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(directory, entry.name);
      if (entry.isDirectory()) return yamlBelow(path);
      return /\.ya?ml$/.test(entry.name) ? [path] : [];
    });
}

const unusable = (file: string, reason: string, fix: string): FileProblem => ({ file, path: '', reason, fix });
const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : String(error));

export function readFile(
  file: string,
  known: Known,
): { readonly scenarios: readonly ReadScenario[]; readonly problems: readonly FileProblem[] } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { scenarios: [], problems: [unusable(file, `cannot be read (${codeOf(error)})`, 'Check the path.')] };
  }
  return readScenarios(text, { ...known, file });
}

/** Reads the scenarios of a text, one per YAML document, and reports all mistakes of all of them, each with path, line, reason and fix. */
export function readScenarios(
  text: string,
  given: Known & { readonly file: string },
): { readonly scenarios: readonly ReadScenario[]; readonly problems: readonly FileProblem[] } {
  const { file } = given;
  const lines = new LineCounter();
  // Numbers with a point stay the text they are: an amount must not pass through a float.
  const parsed = parseAllDocuments(text, {
    lineCounter: lines,
    uniqueKeys: true,
    customTags: (tags) => tags.map((tag) => (isFloat(tag) ? { ...tag, resolve: (source: string) => source } : tag)),
  });
  const documents = Array.isArray(parsed) ? parsed.filter((document) => document.contents !== null) : [];
  if (documents.length === 0)
    return { scenarios: [], problems: [unusable(file, 'holds no scenario', 'Begin with: scenario: One sentence.')] };
  const scenarios: ReadScenario[] = [];
  const problems: FileProblem[] = [];
  for (const document of documents) {
    const lineAt = (path: readonly (string | number)[]): number | undefined => lineOf(document, lines, path);
    const broken = document.errors.map((error) => ({
      file,
      path: '',
      line: lines.linePos(error.pos[0]).line,
      reason: error.message.split('\n')[0] ?? 'is not YAML',
      fix: 'Correct the YAML at this line: indentation, quotes, a missing colon.',
    }));
    if (broken.length > 0) {
      problems.push(...broken);
      continue;
    }
    const result = readOne(document.toJS(), given);
    if ('problems' in result)
      problems.push(...result.problems.map((problem) => ({ file, ...withLine(problem, lineAt(partsOf(problem.path))) })));
    else scenarios.push({ file, ...result, lineOfStep: (index) => lineAt(['when', index]) });
  }
  return { scenarios, problems };
}

function readOne(
  raw: unknown,
  known: Known & { readonly file: string },
): { readonly scenario: Scenario; readonly company: Company } | { readonly problems: readonly Problem[] } {
  const parsed = scenarioSchema.safeParse(raw);
  if (!parsed.success) return { problems: problemsOf(parsed.error) };
  const scenario = parsed.data;
  const named = companyOf(scenario, known.companies);
  if (!('systems' in named)) return { problems: [named] };
  const company = decidedCompany(scenario, named, known.file);
  if (!('systems' in company)) return { problems: [company] };
  const problems = [...strangers(scenario, company), ...configurationProblems(scenario, company, known.catalog)];
  return problems.length > 0 ? { problems } : { scenario, company };
}

function companyOf(scenario: Scenario, companies: readonly Company[]): Company | Problem {
  const own = companies.filter((company) => company.integration === scenario.integration);
  const wanted = scenario.given.company;
  const company = wanted === undefined ? own[0] : companies.find((one) => one.name === wanted);
  if (company?.integration === scenario.integration) return company;
  if (own.length === 0)
    return {
      path: 'integration',
      reason: `there is no company with the integration "${scenario.integration}"`,
      fix: `Use one of: ${[...new Set(companies.map((one) => one.integration))].join(', ')}.`,
    };
  return {
    path: 'given.company',
    reason: `there is no company "${wanted}" with the integration "${scenario.integration}"`,
    fix: `Use one of: ${own.map((one) => one.name).join(', ')}.`,
  };
}

/** The company with the decisions of a connector.yaml, when the scenario names one. */
function decidedCompany(scenario: Scenario, company: Company, file: string): Company | Problem {
  const { from } = scenario.config;
  if (from === undefined) return company;
  const path = resolve(dirname(file), from);
  const problem = (reason: string, fix: string): Problem => ({ path: 'config.from', reason: `${path} ${reason}`, fix });
  let written: unknown;
  try {
    written = parse(readFileSync(path, 'utf8'));
  } catch (error) {
    return problem(`cannot be read (${codeOf(error)})`, 'Name a connector.yaml by its path from this scenario file.');
  }
  const decisions = integrationOf(written, scenario.integration);
  if (decisions === undefined) return problem(`has no integration ${scenario.integration}`, 'Name the connector.yaml that has it.');
  return { ...company, configuration: (origins) => withDecisions(company.configuration(origins), scenario.integration, decisions) };
}

/** Systems that the company does not have, wherever they are named. */
function strangers(scenario: Scenario, company: Company): Problem[] {
  const systems = Object.keys(company.systems);
  const named: (readonly [string, string | undefined])[] = [];
  const keys = (path: string, value: object | undefined): void => {
    for (const system of Object.keys(value ?? {})) named.push([`${path}.${system}`, system]);
  };
  const expectation = (path: string, value: Scenario['then'] | undefined): void => {
    for (const part of ['systems', 'calls', 'writes', 'mostInFlight', 'connections'] as const) keys(`${path}.${part}`, value?.[part]);
  };
  keys('config.connections', scenario.config.connections);
  keys('given.options', scenario.given.options);
  keys('given.systems', scenario.given.systems);
  for (const [index, step] of scenario.when.entries()) {
    const path = `when[${index}]`;
    keys(`${path}.act`, step.act);
    keys(`${path}.seed`, step.seed);
    keys(`${path}.configure.connections`, step.configure?.connections);
    if (step.fault) named.push([`${path}.fault.system`, step.fault.system]);
    if (step.operator?.consent !== undefined) named.push([`${path}.operator.consent`, step.operator.consent]);
    expectation(`${path}.expect`, step.expect);
    expectation(`${path}.until`, step.until);
  }
  expectation('then', scenario.then);
  return named
    .filter(([, system]) => system !== undefined && !systems.includes(system))
    .map(([path, system]) => ({ path, reason: `${company.name} has no system "${system}"`, fix: `Use one of: ${systems.join(', ')}.` }));
}

/** What the changed configuration would be refused for, told as paths of the scenario. */
function configurationProblems(scenario: Scenario, company: Company, catalog: Catalog): Problem[] {
  const origins = Object.fromEntries(Object.keys(company.systems).map((system) => [system, `http://127.0.0.1/${system}`]));
  const configuration = changedConfiguration(company.configuration(origins), scenario.integration, scenario.config);
  const checked = checkConfiguration(stringify(configuration), catalog);
  if (!('problems' in checked)) return [];
  return checked.problems.map(({ path, reason, fix }) => ({
    path: path.replace(`integrations.${scenario.integration}.`, 'config.'),
    reason,
    fix,
  }));
}

const isFloat = (tag: Tags[number]): tag is ScalarTag => typeof tag === 'object' && tag.tag === 'tag:yaml.org,2002:float';

const withLine = (problem: Problem, line: number | undefined): Problem => (line === undefined ? problem : { ...problem, line });

function partsOf(path: string): (string | number)[] {
  return path
    .split(/[.[\]]+/)
    .filter((part) => part !== '')
    .map((part) => (/^\d+$/.test(part) ? Number(part) : part));
}

/** The line of the deepest part of the path that stands in the document. */
function lineOf(document: Document, lines: LineCounter, path: readonly (string | number)[]): number | undefined {
  for (let depth = path.length; depth >= 0; depth -= 1) {
    const node: unknown = depth === 0 ? document.contents : document.getIn(path.slice(0, depth), true);
    if (node !== null && typeof node === 'object' && 'range' in node && Array.isArray(node.range))
      return lines.linePos(Number(node.range[0])).line;
  }
  return undefined;
}
