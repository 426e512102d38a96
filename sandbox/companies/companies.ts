import type { Company } from '../company.ts';
import { kestrel } from './kestrel.ts';

/** Companies a scenario can begin with, by name. */
export const companies: readonly Company[] = [kestrel];
