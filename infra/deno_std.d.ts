// Types of the Deno standard library modules that the project uses. The npm edition of that library
// ships JavaScript alone, so without this file every import from it is `any` and checks nothing.
// The declarations follow the library's own signatures and are keyed by the names of the import
// map: when those names point at JSR's typed packages, delete this file and its line under
// `compilerOptions.types`.

declare module "@std/assert" {
  // deno-lint-ignore no-explicit-any -- a constructor of any arguments; unknown[] accepts none.
  type AnyConstructor = new (...args: any[]) => any;
  // deno-lint-ignore no-explicit-any
  type ErrorConstructorOf<E extends Error> = abstract new (...args: any[]) => E;

  export class AssertionError extends Error {
    constructor(message: string, options?: ErrorOptions);
  }

  export function assert(expr: unknown, msg?: string): asserts expr;
  export function assertAlmostEquals(
    actual: number,
    expected: number,
    tolerance?: number,
    msg?: string,
  ): void;
  export function assertArrayIncludes<T>(
    actual: ArrayLike<T>,
    expected: ArrayLike<T>,
    msg?: string,
  ): void;
  export function assertEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertExists<T>(actual: T, msg?: string): asserts actual is NonNullable<T>;
  export function assertFalse(expr: unknown, msg?: string): asserts expr is false;
  export function assertGreater<T>(actual: T, expected: T, msg?: string): void;
  export function assertGreaterOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertInstanceOf<T extends AnyConstructor>(
    actual: unknown,
    expectedType: T,
    msg?: string,
  ): asserts actual is InstanceType<T>;
  export function assertIsError<E extends Error = Error>(
    error: unknown,
    ErrorClass?: ErrorConstructorOf<E>,
    msgMatches?: string | RegExp,
    msg?: string,
  ): asserts error is E;
  export function assertLess<T>(actual: T, expected: T, msg?: string): void;
  export function assertLessOrEqual<T>(actual: T, expected: T, msg?: string): void;
  export function assertMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertNotInstanceOf<A, T>(
    actual: A,
    // deno-lint-ignore no-explicit-any
    unexpectedType: abstract new (...args: any[]) => T,
    msg?: string,
  ): asserts actual is Exclude<A, T>;
  export function assertNotMatch(actual: string, expected: RegExp, msg?: string): void;
  export function assertNotStrictEquals<T>(actual: T, expected: T, msg?: string): void;
  export function assertObjectMatch(
    // deno-lint-ignore no-explicit-any
    actual: Record<PropertyKey, any>,
    expected: Record<PropertyKey, unknown>,
    msg?: string,
  ): void;
  export function assertRejects(fn: () => PromiseLike<unknown>, msg?: string): Promise<unknown>;
  export function assertRejects<E extends Error = Error>(
    fn: () => PromiseLike<unknown>,
    ErrorClass: ErrorConstructorOf<E>,
    msgIncludes?: string,
    msg?: string,
  ): Promise<E>;
  export function assertStrictEquals<T>(
    actual: unknown,
    expected: T,
    msg?: string,
  ): asserts actual is T;
  export function assertStringIncludes(actual: string, expected: string, msg?: string): void;
  export function assertThrows(fn: () => unknown, msg?: string): unknown;
  export function assertThrows<E extends Error = Error>(
    fn: () => unknown,
    ErrorClass: ErrorConstructorOf<E>,
    msgIncludes?: string,
    msg?: string,
  ): E;
  export function equal(a: unknown, b: unknown): boolean;
  export function fail(msg?: string): never;
  export function unimplemented(msg?: string): never;
  export function unreachable(msg?: string): never;
}

declare module "@std/path" {
  export interface ParsedPath {
    root: string;
    dir: string;
    base: string;
    ext: string;
    name: string;
  }
  export const DELIMITER: ":" | ";";
  export const SEPARATOR: "/" | "\\";
  export const SEPARATOR_PATTERN: RegExp;
  export function basename(path: string | URL, suffix?: string): string;
  export function common(paths: readonly string[]): string;
  export function dirname(path: string | URL): string;
  export function extname(path: string | URL): string;
  export function format(pathObject: Partial<ParsedPath>): string;
  export function fromFileUrl(url: string | URL): string;
  export function isAbsolute(path: string): boolean;
  export function join(path?: string | URL, ...paths: string[]): string;
  export function normalize(path: string | URL): string;
  export function parse(path: string): ParsedPath;
  export function relative(from: string, to: string): string;
  export function resolve(...paths: string[]): string;
  export function toFileUrl(path: string): URL;
  export function toNamespacedPath(path: string): string;
}

declare module "@std/text/levenshtein-distance" {
  /** Insertions, deletions and substitutions between two texts. */
  export function levenshteinDistance(str1: string, str2: string): number;
}

declare module "@std/cli/parse-args" {
  export interface ParseOptions<
    S extends string,
    B extends string,
    C extends string,
    D extends Record<string, unknown>,
  > {
    /** Flags kept as strings, never turned into numbers. */
    string?: readonly S[];
    /** Flags that take no value. */
    boolean?: readonly B[];
    /** Flags that may be given several times; the result is an array. */
    collect?: readonly C[];
    default?: D;
    alias?: Record<string, string | readonly string[]>;
    /** Boolean flags that accept `--no-<name>`. */
    negatable?: readonly string[];
    /** Stop at the first argument that is no flag and leave the rest in `_`. */
    stopEarly?: boolean;
    /** Put what follows `--` into `"--"` in place of `_`. */
    "--"?: boolean;
    /** Called for a flag that none of the options names; returning `false` drops it. */
    unknown?: (arg: string, key?: string, value?: unknown) => unknown;
  }

  type Simplify<T> = { [K in keyof T]: T[K] };

  export type ParsedArgs<
    S extends string,
    B extends string,
    C extends string,
    D extends Record<string, unknown>,
  > = Simplify<
    & { [K in Exclude<S, C | keyof D>]: string | undefined }
    & { [K in Exclude<S, C> & keyof D]: string | D[K] }
    & { [K in Exclude<B, C | keyof D>]: boolean }
    & { [K in Exclude<B, C> & keyof D]: boolean | D[K] }
    & { [K in C & S]: string[] }
    & { [K in C & B]: boolean[] }
    & { [K in Exclude<C, S | B>]: (string | number | boolean)[] }
    & { [K in Exclude<keyof D, S | B | C>]: unknown }
    & { _: (string | number)[]; "--"?: string[] }
  >;

  export function parseArgs<
    const S extends string = never,
    const B extends string = never,
    const C extends string = never,
    D extends Record<string, unknown> = Record<never, never>,
  >(args: readonly string[], options?: ParseOptions<S, B, C, D>): ParsedArgs<S, B, C, D>;
}

declare module "@std/csv/parse-stream" {
  /** Rows as objects by the names of the first row. */
  export class CsvParseStream
    implements TransformStream<string, Record<string, string | undefined>> {
    constructor(options: { skipFirstRow: true; separator?: string; comment?: string });
    readonly readable: ReadableStream<Record<string, string | undefined>>;
    readonly writable: WritableStream<string>;
  }
}

declare module "@std/streams/text-line-stream" {
  export class TextLineStream extends TransformStream<string, string> {
    constructor(options?: { allowCR?: boolean });
  }
}
