export * from './errors.ts';
export * from './record/record.ts';
export * from './batch/batch.ts';
