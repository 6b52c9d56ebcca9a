import { dirname, resolve } from 'node:path';
import { z } from 'zod';

const maxPathLength = 4_096;

/** Limits of a whole number in a configuration. */
interface NumberLimits {
  readonly min: number;
  readonly max: number;
}

/** The value types configurations are made of. Relative paths are taken from the folder of the configuration file. */
export interface ConfigurationTypes {
  /** An object whose keys are all known: another key is an error. */
  section<Shape extends z.ZodRawShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict>;
  /** A path, made absolute. */
  path(): z.ZodType<string, string>;
  /** The path of a file with a secret; the secret itself is refused. */
  secretFile(): z.ZodType<string, string>;
  /** `host:port`. */
  endpoint(): z.ZodType<string, string>;
  /** A TCP port; 0 takes a free one. */
  port(): z.ZodType<number, number>;
  /** A whole number within limits. */
  integer(limits: NumberLimits): z.ZodType<number, number>;
  /** Text without control characters, 1 to 256 characters. */
  name(): z.ZodType<string, string>;
}

/** The types for a configuration that lies in `file`. */
export function configurationTypes(file: string): ConfigurationTypes {
  const folder = dirname(resolve(file));
  const path = (): z.ZodType<string, string> =>
    z
      .string('expected a path')
      .min(1, 'expected a path, got empty text')
      .max(maxPathLength, 'expected a path, got a longer text')
      .refine((text) => !/[\0\r\n]/.test(text), 'expected a path, got text of several lines')
      .transform((text) => resolve(folder, text));
  return {
    section: (shape) => z.strictObject(shape),
    path,
    secretFile: () =>
      z
        .string('expected the path of a file')
        .refine((text) => !/-----BEGIN|[\r\n]/.test(text), {
          message: 'expected the path of a file that holds the secret, got the secret itself',
          abort: true,
        })
        .pipe(path()),
    endpoint: () =>
      z
        .string('expected host:port')
        .regex(/^(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\]):[0-9]{1,5}$/, 'expected host:port')
        .refine((text) => Number(text.slice(text.lastIndexOf(':') + 1)) <= 65_535, 'expected a port up to 65535'),
    port: () => integer({ min: 0, max: 65_535 }),
    integer,
    name: () =>
      z
        .string('expected text')
        .min(1, 'expected text, got none')
        .max(256, 'expected at most 256 characters')
        .regex(/^[^\u0000-\u001f\u007f]*$/, 'expected text without control characters'),
  };
}

function integer({ min, max }: NumberLimits): z.ZodType<number, number> {
  const expected = `expected a whole number from ${min} to ${max}`;
  return z.number(expected).int(expected).min(min, expected).max(max, expected);
}
