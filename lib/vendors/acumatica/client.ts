export type * from './surface.ts';
