import { WaymarkError, errorCodes, type ErrorCode, type ErrorDetails } from '@waymark/protocol';

const maxDetailsLength = 4_096;
const maxDetailFields = 20;

/**
 * The refusal in a peer's error text, when our chaincode wrote one: `WAYMARK_<CODE>: {json}`, the code in upper snake
 * case. Only the text of an error survives peer and gateway.
 */
export function parseChaincodeRefusal(text: string): WaymarkError | undefined {
  const match = /WAYMARK_([A-Z][A-Z_]{0,40}): (\{.*\})/s.exec(text);
  if (match?.[1] === undefined || match[2] === undefined) return undefined;
  const code = match[1].toLowerCase().replaceAll('_', '-');
  if (!isErrorCode(code)) return undefined;
  const details = parseDetails(match[2]);
  const reason = details['reason'];
  const message = typeof reason === 'string' ? `${errorCodes[code]} (${reason})` : errorCodes[code];
  return new WaymarkError(code, message, { details });
}

function parseDetails(json: string): ErrorDetails {
  if (json.length > maxDetailsLength) return {};
  try {
    const fields = Object.entries(JSON.parse(json) as Record<string, unknown>).slice(0, maxDetailFields);
    return Object.fromEntries(
      fields.filter((field): field is [string, string | number | boolean] =>
        ['string', 'number', 'boolean'].includes(typeof field[1]),
      ),
    );
  } catch {
    return {};
  }
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCodes, text);
}
