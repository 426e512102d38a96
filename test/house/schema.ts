import { writeFileSync } from 'node:fs';
import { catalog } from '../../lib/catalog.ts';
import { configurationJsonSchema } from '../../lib/configuration/load.ts';

/** `npm run schema`: prints the JSON Schema of connector.yaml for editors. A test keeps the file current. */
writeFileSync('docs/connector.schema.json', `${JSON.stringify(configurationJsonSchema(catalog), null, 2)}\n`);
