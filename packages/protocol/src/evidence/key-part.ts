import { textProblem } from '../encoding/i-json.ts';

const maxPartBytes = 256;

/**
 * Why a text cannot be an MSP id or enrolment id, or undefined when it can. Such ids become parts of Fabric's composite keys
 * (U+0000 between the parts, U+10FFFF behind a range) and of evidence ids (`/` between the parts): one that held a separator could come to
 * share another's key.
 */
export function identifierProblem(text: string): string | undefined {
  if (text === '') return 'is empty';
  const problem = textProblem(text);
  if (problem !== undefined) return problem;
  if (/[\u0001-\u001f\u007f-\u009f/]/.test(text)) return 'contains a slash or a control character';
  if (text.includes('\u{10ffff}')) return 'contains U+10FFFF';
  if (Buffer.byteLength(text) > maxPartBytes) return `is longer than ${maxPartBytes} bytes`;
  return undefined;
}
