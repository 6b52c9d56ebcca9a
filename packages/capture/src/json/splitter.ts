/**
 * Takes a JSON text apart while it streams by, so that a large file never has to be in memory: the elements of its one
 * long list are handed out one at a time, and what stands around the list is kept as a frame. The long list is the text itself,
 * or the list of events of an EPCIS document. Only structure is looked at; parts are parsed by whoever gets them.
 */

/** One element of the long list. `line` is where it begins, from 1. */
export interface JsonElement {
  readonly index: number;
  readonly line: number;
  readonly bytes: Buffer;
}

/** The text without the elements of its long list, which is empty in it. */
export interface JsonFrame {
  readonly bytes: Buffer;
  /** The long list: its pointer, the offset of its closing bracket in the frame, and how many lines were left out. */
  readonly cut: { readonly place: string; readonly offset: number; readonly lines: number } | undefined;
  /** Line of the first byte behind the value, when there is any. */
  readonly trailingLine: number | undefined;
}

/** Why the text has no structure; the caller adds the file's name. */
export class JsonStructureFault extends Error {
  readonly line: number;
  readonly isLimit: boolean;
  constructor(line: number, reason: string, isLimit = false) {
    super(reason);
    this.line = line;
    this.isLimit = isLimit;
  }
}

const longLists: readonly (readonly string[])[] = [
  ['epcisBody', 'eventList'],
  ['epcisBody', 'queryResults', 'resultsBody', 'eventList'],
];

function leadsToLongList(path: readonly string[]): boolean {
  return longLists.some((list) => list.length > path.length && path.every((name, index) => list[index] === name));
}

function isLongList(path: readonly string[]): boolean {
  return longLists.some((list) => list.length === path.length && path.every((name, index) => list[index] === name));
}

const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const backslash = 0x5c;
const lineFeed = 0x0a;
const openList = 0x5b;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === lineFeed || byte === 0x0d || byte === 0x09;
}

/** What is expected inside the long list: its first element or its end, an element, more of one, a comma or its end. */
type ListState = 'first' | 'element' | 'inside' | 'separator';

/** Where the bytes that are looked at go. */
type Sink = 'frame' | 'element' | 'nowhere';

/** Feed it with `write`, then call `end`. */
export class JsonSplitter {
  readonly #limitBytes: number;
  readonly #kept = { frame: [] as Buffer[], element: [] as Buffer[] };
  readonly #sizes = { frame: 0, element: 0 };
  #sink: Sink = 'frame';
  #chunk: Buffer = Buffer.alloc(0);
  #sinkStart = 0;
  #done: JsonElement[] = [];

  #line = 1;
  #depth = 0;
  #inString = false;
  #escaped = false;
  #ended = false;
  #trailingLine: number | undefined;

  // Around the long list: how many of the open objects lead to it, by which names, and the name read last in the innermost.
  #onPath = 0;
  readonly #path: string[] = [];
  #expectsName = false;
  #nameBytes: number[] | undefined;
  #name = '';
  #cut: { place: string; offset: number; lines: number } | undefined;

  // Inside the long list.
  #list: ListState | undefined;
  #listLine = 0;
  #count = 0;
  #elementDepth = 0;
  #elementLine = 0;

  /** @param limitBytes largest element, and largest frame */
  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  /** Reads on, and returns the elements that ended in these bytes. @throws JsonStructureFault */
  write(chunk: Buffer): JsonElement[] {
    this.#chunk = chunk;
    this.#sinkStart = 0;
    this.#done = [];
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0;
      this.#read(byte, index);
      if (byte === lineFeed) this.#line += 1;
    }
    this.#switchTo(this.#sink, chunk.length);
    return this.#done;
  }

  /** @throws JsonStructureFault when the text ends too early */
  end(): JsonFrame {
    if (!this.#ended && (this.#depth > 0 || this.#inString))
      throw new JsonStructureFault(this.#line, 'the text ends before its value is complete');
    return { bytes: Buffer.concat(this.#kept.frame), cut: this.#cut, trailingLine: this.#trailingLine };
  }

  #read(byte: number, index: number): void {
    if (this.#ended) {
      if (!isSpace(byte)) this.#trailingLine ??= this.#line;
    } else if (this.#inString) this.#readString(byte);
    else if (this.#list === undefined) this.#readFrame(byte, index);
    else this.#readList(byte, index);
  }

  #readString(byte: number): void {
    if (this.#escaped) this.#escaped = false;
    else if (byte === backslash) this.#escaped = true;
    else if (byte === quote) this.#inString = false;
    if (this.#nameBytes === undefined) return;
    if (this.#inString) this.#nameBytes.push(byte);
    else {
      this.#name = nameOf(this.#nameBytes);
      this.#nameBytes = undefined;
    }
  }

  #readFrame(byte: number, index: number): void {
    const onPath = this.#depth === this.#onPath;
    if (byte === quote) {
      this.#inString = true;
      if (onPath && this.#expectsName) this.#nameBytes = [];
    } else if (byte === openObject) this.#openObject(onPath);
    else if (byte === openList) this.#openList(onPath, index);
    else if (byte === closeObject || byte === closeList) this.#close(onPath, index);
    else if (onPath && byte === colon) this.#expectsName = false;
    else if (onPath && byte === comma) this.#expectsName = true;
  }

  #openObject(onPath: boolean): void {
    const isStep = this.#depth > 0 && onPath && !this.#expectsName && leadsToLongList([...this.#path, this.#name]);
    if (isStep) this.#path.push(this.#name);
    if (isStep || this.#depth === 0) {
      this.#onPath += 1;
      this.#expectsName = true;
    }
    this.#depth += 1;
  }

  #openList(onPath: boolean, index: number): void {
    const path = this.#depth === 0 ? [] : [...this.#path, this.#name];
    const isLong = this.#depth === 0 || (onPath && !this.#expectsName && isLongList(path));
    this.#depth += 1;
    if (!isLong || this.#cut !== undefined) return;
    this.#list = 'first';
    this.#listLine = this.#line;
    this.#switchTo('nowhere', index + 1);
    this.#cut = { place: path.map((name) => `/${name}`).join(''), offset: this.#sizes.frame, lines: 0 };
  }

  #close(onPath: boolean, index: number): void {
    if (onPath && this.#onPath > 1) {
      this.#path.pop();
      this.#onPath -= 1;
      this.#expectsName = false;
    }
    this.#depth -= 1;
    this.#endIfWhole(index);
  }

  #endIfWhole(index: number): void {
    if (this.#depth > 0) return;
    this.#ended = true;
    this.#switchTo('nowhere', index + 1);
  }

  #readList(byte: number, index: number): void {
    if (this.#list === 'inside' && !this.#endsElement(byte, index)) return;
    if (isSpace(byte)) return;
    if (this.#list === 'separator') this.#readSeparator(byte, index);
    else if (byte === closeList && this.#list === 'first') this.#leaveList(index);
    else if (byte === comma || byte === colon || byte === closeList || byte === closeObject)
      throw new JsonStructureFault(this.#line, `element ${this.#count} of the list is missing`);
    else this.#beginElement(byte, index);
  }

  /** Reads on in an element. True when it ended before this byte, which then is still to be looked at. */
  #endsElement(byte: number, index: number): boolean {
    const isScalar = this.#elementDepth === 0;
    if (isScalar && (byte === comma || byte === closeList || isSpace(byte))) {
      this.#endElement(index);
      return true;
    }
    if (byte === quote) this.#inString = true;
    else if (isScalar) return false;
    else if (byte === openObject || byte === openList) this.#elementDepth += 1;
    else if (byte === closeObject || byte === closeList) {
      this.#elementDepth -= 1;
      if (this.#elementDepth === 0) this.#endElement(index + 1);
    }
    return false;
  }

  #beginElement(byte: number, index: number): void {
    this.#switchTo('element', index);
    this.#list = 'inside';
    this.#elementLine = this.#line;
    this.#elementDepth = byte === openObject || byte === openList ? 1 : 0;
    if (byte === quote) this.#inString = true;
  }

  #endElement(end: number): void {
    this.#switchTo('nowhere', end);
    this.#done.push({ index: this.#count, line: this.#elementLine, bytes: Buffer.concat(this.#kept.element) });
    this.#count += 1;
    this.#kept.element = [];
    this.#sizes.element = 0;
    this.#list = 'separator';
  }

  #readSeparator(byte: number, index: number): void {
    if (byte === closeList) this.#leaveList(index);
    else if (byte === comma) this.#list = 'element';
    else throw new JsonStructureFault(this.#line, 'a comma or the end of the list is missing');
  }

  #leaveList(index: number): void {
    this.#list = undefined;
    if (this.#cut !== undefined) this.#cut.lines = this.#line - this.#listLine;
    this.#switchTo('frame', index);
    this.#depth -= 1;
    this.#endIfWhole(index);
  }

  /** Keeps what was looked at since the last switch, and sends what comes from `index` on elsewhere. */
  #switchTo(sink: Sink, index: number): void {
    const bytes = this.#chunk.subarray(this.#sinkStart, index);
    if (this.#sink !== 'nowhere' && bytes.length > 0) {
      this.#sizes[this.#sink] += bytes.length;
      if (this.#sizes[this.#sink] > this.#limitBytes) throw this.#tooLarge(this.#sink);
      // The chunk may be reused by its reader once it is written.
      this.#kept[this.#sink].push(Buffer.from(bytes));
    }
    this.#sink = sink;
    this.#sinkStart = index;
  }

  #tooLarge(sink: 'frame' | 'element'): JsonStructureFault {
    const what = sink === 'element' ? 'an element has' : 'what surrounds the list of events has';
    const line = sink === 'element' ? this.#elementLine : this.#line;
    return new JsonStructureFault(line, `${what} more than ${this.#limitBytes} bytes`, true);
  }
}

/** A member name from its bytes between the quotes, escapes undone. One that is malformed leads nowhere. */
function nameOf(bytes: readonly number[]): string {
  try {
    return String(JSON.parse(`"${Buffer.from(bytes).toString('utf8')}"`));
  } catch {
    return '';
  }
}
