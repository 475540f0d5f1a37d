// Writes schema/config.schema.json, which editors and `virel-native/schema` read, from the compiled schema of a config.
import { mkdirSync, writeFileSync } from 'node:fs';
import { configJsonSchema } from '../dist/config/schema.js';

mkdirSync('schema', { recursive: true });
writeFileSync('schema/config.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`);
