/** The verdict on EPCIS 2.0 JSON, from the rules of the standard alone: no schema file is read. */
import { listOf, newReport, type Check, type Problem } from './schema/check.ts';
import { bareEvent, epcisText } from './schema/document.ts';
import { event } from './schema/event.ts';

export type { Problem } from './schema/check.ts';

function run(check: Check, value: unknown): readonly Problem[] {
  const report = newReport();
  check(value, '', report);
  return report.problems;
}

const wholeText = epcisText(listOf(event));
const textWithoutEvents = epcisText(listOf(() => undefined));

/**
 * What is wrong with a parsed EPCIS 2.0 document, query document or bare event; nothing when it is valid.
 * @returns at most the first 20 problems, each with an RFC 6901 pointer into `value`
 */
export function validateEpcis(value: unknown): readonly Problem[] {
  return run(wholeText, value);
}

/** What is wrong with a document apart from its events, for readers that take the events one by one. */
export function validateEpcisFrame(value: unknown): readonly Problem[] {
  return run(textWithoutEvents, value);
}

/** What is wrong with one event of a document. */
export function validateDocumentEvent(value: unknown): readonly Problem[] {
  return run(event, value);
}

/** What is wrong with an event that stands alone. */
export function validateBareEvent(value: unknown): readonly Problem[] {
  return run(bareEvent, value);
}
