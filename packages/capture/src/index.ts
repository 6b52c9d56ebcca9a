export { openRecordFile } from './file/open.ts';
export type { RecordFile, RecordFormat } from './file/record-file.ts';
export { defaultFileLimits, type FileLimits } from './file/limits.ts';
export { validateEpcis, type Problem } from './epcis/validate.ts';
export { eventHashId, eventPreHash, type EventSurroundings } from './epcis/event-hash/event-hash.ts';
export { epcisSchema, eventRecord } from './epcis/record.ts';
export { milestoneSchema } from './cargo2000/milestones.ts';
