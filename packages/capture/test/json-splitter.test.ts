/** Taking a JSON text apart while it streams by gives the same parts, however the stream is cut. */
import fc from 'fast-check';
import { lineAt, offsetOf } from '../src/json/locate.ts';
import { JsonSplitter, JsonStructureFault, type JsonElement, type JsonFrame } from '../src/json/splitter.ts';

function split(text: string, chunkBytes: number): { elements: JsonElement[]; frame: JsonFrame } {
  const splitter = new JsonSplitter(1_000_000);
  const bytes = Buffer.from(text);
  const elements: JsonElement[] = [];
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    // A copy that is spoilt afterwards, as a reader may use its buffer again.
    const chunk = Buffer.from(bytes.subarray(start, start + chunkBytes));
    elements.push(...splitter.write(chunk));
    chunk.fill(0x21);
  }
  return { elements, frame: splitter.end() };
}

const chunkSizes = fc.integer({ min: 1, max: 64 });
const spaces = fc.constantFrom(undefined, 1, '\t');

test('a list gives back its elements', () => {
  fc.assert(
    fc.property(fc.array(fc.jsonValue()), spaces, chunkSizes, (list, space, chunkBytes) => {
      const text = JSON.stringify(list, undefined, space);
      const { elements, frame } = split(text, chunkBytes);
      expect(elements.map(({ bytes }) => JSON.parse(bytes.toString()) as unknown)).toEqual(JSON.parse(text));
      expect(frame.bytes.toString()).toBe('[]');
      expect(elements.map(({ index }) => index)).toEqual(list.map((_, index) => index));
    }),
  );
});

test('a document gives back its events and, without them, itself', () => {
  const lists = [
    (events: unknown[]) => ({ epcisBody: { eventList: events, other: [1, { eventList: [2] }] } }),
    (events: unknown[]) => ({ epcisBody: { x: {}, queryResults: { resultsBody: { eventList: events } } } }),
  ];
  fc.assert(
    fc.property(
      fc.array(fc.jsonValue()),
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(...lists),
      spaces,
      chunkSizes,
      (events, others, build, space, chunkBytes) => {
        const rest = Object.fromEntries(Object.entries(others).filter(([name]) => name !== 'epcisBody'));
        const text = JSON.stringify({ eventList: [0], ...rest, ...build(events), last: null }, undefined, space);
        const { elements, frame } = split(text, chunkBytes);
        expect(elements.map(({ bytes }) => JSON.parse(bytes.toString()) as unknown)).toEqual(
          JSON.parse(JSON.stringify(events)),
        );
        expect(JSON.parse(frame.bytes.toString())).toEqual(
          JSON.parse(JSON.stringify({ eventList: [0], ...rest, ...build([]), last: null })),
        );
      },
    ),
  );
});

test('lines of elements, and of what comes behind them, are those of the text', () => {
  const text = '{\n"epcisBody": {"eventList": [\n {"a":1},\n\n {"b":\n2}\n]},\n"z": 1}';
  const { elements, frame } = split(text, 7);
  expect(elements.map(({ line }) => line)).toEqual([3, 5]);
  const cut = frame.cut;
  expect(cut?.place).toBe('/epcisBody/eventList');
  const frameText = frame.bytes.toString();
  expect(lineAt(frameText, offsetOf(frameText, '/z')) + (cut?.lines ?? 0)).toBe(8);
});

test('names may be written with escapes', () => {
  const { elements } = split('{"epcis\\u0042ody":{"event\\u004cist":[1]}}', 3);
  expect(elements).toHaveLength(1);
});

test.each(['[1', '[1,', '[,1]', '[1,]', '[1 2]', '[:]', '[}', '{"a":[1}', '{"epcisBody":{"eventList":[1}'])(
  'a text without structure is a fault, not a hang: %s',
  (text) => {
    for (let chunkBytes = 1; chunkBytes <= text.length; chunkBytes++) {
      let parts: unknown;
      try {
        const { elements, frame } = split(text, chunkBytes);
        parts = [...elements.map(({ bytes }) => bytes), frame.bytes].map(
          (bytes) => JSON.parse(bytes.toString()) as unknown,
        );
      } catch (error) {
        parts = error instanceof JsonStructureFault || error instanceof SyntaxError ? 'refused' : error;
      }
      expect(parts).toBe('refused');
    }
  },
);

test('what is accepted in parts is what JSON accepts as a whole', () => {
  const pieces = fc.constantFrom(
    '[',
    ']',
    '{',
    '}',
    ',',
    ':',
    '"a"',
    '"epcisBody":',
    '"eventList":',
    '1',
    ' ',
    '"\\"',
    'x',
  );
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 14 }), fc.integer({ min: 1, max: 5 }), (parts, chunkBytes) => {
      const text = parts.join('');
      let whole: unknown;
      try {
        whole = JSON.parse(text);
      } catch {
        whole = undefined;
      }
      let accepted = true;
      try {
        const { elements, frame } = split(text, chunkBytes);
        if (frame.trailingLine !== undefined) return;
        for (const { bytes } of elements) JSON.parse(bytes.toString());
        JSON.parse(frame.bytes.toString());
      } catch {
        accepted = false;
      }
      expect(accepted).toBe(whole !== undefined);
    }),
    { numRuns: 3_000 },
  );
});

test('the place of any part of a text is found', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4 }), spaces, (value, space) => {
      const text = JSON.stringify(value, undefined, space);
      const visit = (part: unknown, pointer: string): void => {
        const rest = text.slice(offsetOf(text, pointer));
        const expected = JSON.stringify(part);
        expect(rest.replace(/\s+/g, '').startsWith(expected.replace(/\s+/g, ''))).toBe(true);
        if (typeof part !== 'object' || part === null) return;
        for (const [name, member] of Object.entries(part))
          visit(member, `${pointer}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`);
      };
      visit(JSON.parse(text), '');
      expect(offsetOf(text, '/no/such/part')).toBeGreaterThanOrEqual(0);
    }),
  );
});
