export * from './member.ts';
export * from './ports.ts';
export { acceptedOids } from './applier.ts';
