// The examples of the documentation: where they are, what they say, and how to run them.
//
// `expression; // value` and `const name = expression; // value` promise a value: a JavaScript literal of numbers,
// strings, arrays and objects. A number with a point or an exponent is rounded as printed; an integer is exact. Typed
// arrays count as arrays. A comment that is no literal is prose, and the statement is run.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Example {
  /** File and line. */
  readonly where: string;
  readonly code: string;
}

const lineOf = (text: string, index: number): number => text.slice(0, index).split('\n').length;

/** The code of `text`: its fenced blocks if there are any, else all of it. */
function codeOf(text: string): string {
  const blocks = [...text.matchAll(/^```(?:js|ts)?\n([\s\S]*?)^```/gm)];
  return blocks.length > 0 ? blocks.map(([, block]) => block).join('\n') : text;
}

/** Every `@example` of the doc comments of a source text. */
export function docstringExamples(file: string, source: string): Example[] {
  const examples: Example[] = [];
  for (const comment of source.matchAll(/\/\*\*[\s\S]*?\*\//g)) {
    const text = comment[0]
      .slice(3, -2)
      .split('\n')
      .map((line) => line.replace(/^\s*\* ?/, ''))
      .join('\n');
    for (const tag of text.matchAll(/^@example\b([\s\S]*?)(?=^@\w|$(?![\s\S]))/gm)) {
      const line = lineOf(source, comment.index) + lineOf(text, tag.index) - 1;
      examples.push({ where: `${file}:${line}`, code: codeOf(tag[1] as string) });
    }
  }
  return examples;
}

/** Every block of JavaScript of a Markdown text. */
export function markdownExamples(file: string, text: string): Example[] {
  return [...text.matchAll(/^```(?:js|ts)\n([\s\S]*?)^```/gm)].map((block) => ({
    where: `${file}:${lineOf(text, block.index)}`,
    code: block[1] as string,
  }));
}

function filesOf(directory: string, ending: string): string[] {
  return readdirSync(join(root, directory))
    .filter((name) => name.endsWith(ending))
    .map((name) => join(directory, name));
}

export function allExamples(): Example[] {
  const read = (file: string) => readFileSync(join(root, file), 'utf8');
  return [
    ...['src/api', 'src/backends']
      .flatMap((room) => filesOf(room, '.ts'))
      .flatMap((file) => docstringExamples(file, read(file))),
    ...['README.md', ...filesOf('docs', '.md')].flatMap((file) => markdownExamples(file, read(file))),
  ];
}

/** A number as printed, and how far the value may be from it. */
export class Printed {
  readonly value: number;
  readonly tolerance: number;

  constructor(text: string) {
    const [, decimals, exponent] = /^\d*(?:\.(\d*))?(?:e([+-]?\d+))?$/i.exec(text) ?? [];
    this.value = Number(text);
    const isInteger = decimals === undefined && exponent === undefined;
    this.tolerance = isInteger ? 0 : 0.5 * 10 ** (Number(exponent ?? 0) - (decimals ?? '').length);
  }
}

const names: Record<string, unknown> = { NaN: Number.NaN, Infinity: Number.POSITIVE_INFINITY, undefined };

function literal(node: ts.Expression, sign = 1): unknown {
  if (ts.isNumericLiteral(node)) {
    const printed = new Printed(node.getText());
    return Object.assign(printed, { value: sign * printed.value });
  }
  if (ts.isPrefixUnaryExpression(node) && node.operator === ts.SyntaxKind.MinusToken) {
    const value = literal(node.operand, -1);
    return typeof value === 'number' ? -value : value;
  }
  if (ts.isParenthesizedExpression(node)) return literal(node.expression);
  if (ts.isStringLiteralLike(node)) return node.text;
  if (ts.isBigIntLiteral(node)) return sign * Number.parseInt(node.text, 10);
  if (ts.isIdentifier(node) && node.text in names) return names[node.text];
  if (node.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (node.kind === ts.SyntaxKind.FalseKeyword) return false;
  if (node.kind === ts.SyntaxKind.NullKeyword) return null;
  if (ts.isArrayLiteralExpression(node)) return node.elements.map((element) => literal(element));
  if (ts.isObjectLiteralExpression(node))
    return Object.fromEntries(
      node.properties.map((property) => {
        if (!ts.isPropertyAssignment(property)) throw new SyntaxError(`no literal: ${property.getText()}`);
        return [(property.name as ts.Identifier | ts.StringLiteral).text, literal(property.initializer)];
      }),
    );
  throw new SyntaxError(`no literal: ${node.getText()}`);
}

/** The value that a comment promises; undefined for prose. */
export function promisedValue(comment: string): { readonly value: unknown } | undefined {
  if (!/^(?:[[{'"]|-?(?:\d|\.\d|Infinity\b)|(?:NaN|true|false|null|undefined)\b)/.test(comment))
    return undefined;
  const file = ts.createSourceFile('comment.ts', `(${comment})`, ts.ScriptTarget.Latest, true);
  const [statement] = file.statements;
  const hasErrors = (file as unknown as { parseDiagnostics: unknown[] }).parseDiagnostics.length > 0;
  if (hasErrors || !statement || file.statements.length > 1 || !ts.isExpressionStatement(statement))
    throw new SyntaxError(`the comment is no value: ${comment}`);
  return { value: literal(statement.expression) };
}

/** What a comment after a statement is about: its expression, what it prints, or the names that it declares. */
function subjectOf(statement: ts.Statement): string | undefined {
  if (ts.isExpressionStatement(statement)) {
    const { expression } = statement;
    const isPrint = ts.isCallExpression(expression) && expression.expression.getText() === 'console.log';
    return isPrint ? expression.arguments[0]?.getText() : expression.getText();
  }
  if (!ts.isVariableStatement(statement)) return undefined;
  const { name } = statement.declarationList.declarations[0] as ts.VariableDeclaration;
  if (ts.isIdentifier(name)) return name.text;
  return `{ ${name.elements.map((element) => (element as ts.BindingElement).name.getText()).join(', ')} }`;
}

export interface Step {
  readonly statement: string;
  readonly promised: unknown;
}

export interface Program {
  /** The body of an async function of `load(module)` and `check(step, actual)`. */
  readonly body: string;
  readonly steps: readonly Step[];
  /** What it imports. */
  readonly modules: readonly string[];
}

/** `import { a, b as c } from 'module'` as a declaration in a function. */
function importOf(statement: ts.ImportDeclaration, module: string): string {
  const bindings = statement.importClause?.namedBindings;
  if (!bindings) throw new SyntaxError(`unexpected import: ${statement.getText()}`);
  const names = ts.isNamespaceImport(bindings)
    ? bindings.name.text
    : `{ ${bindings.elements.map(({ name, propertyName }) => (propertyName ? `${propertyName.text}: ${name.text}` : name.text)).join(', ')} }`;
  return `const ${names} = await load('${module}');`;
}

export function compile({ code }: Example): Program {
  const file = ts.createSourceFile('example.ts', code, ts.ScriptTarget.Latest, true);
  const steps: Step[] = [];
  const modules: string[] = [];
  const lines = file.statements.map((statement) => {
    if (ts.isImportDeclaration(statement)) {
      const module = (statement.moduleSpecifier as ts.StringLiteral).text;
      modules.push(module);
      return importOf(statement, module);
    }
    const [range] = ts.getTrailingCommentRanges(code, statement.end) ?? [];
    const comment = range && code.slice(range.pos, range.end).replace(/^\/\/\s*|^\/\*\s*|\s*\*\/$/g, '');
    const promise = comment === undefined ? undefined : promisedValue(comment);
    const subject = subjectOf(statement);
    if (promise === undefined || subject === undefined) return statement.getText();
    const index = steps.push({ statement: statement.getText(), promised: promise.value }) - 1;
    const check = `check(${index}, (${subject}));`;
    return ts.isExpressionStatement(statement) ? check : `${statement.getText()}\n${check}`;
  });
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ES2022 };
  return { body: ts.transpile(`{\n${lines.join('\n')}\n}`, options), steps, modules };
}

const isArrayLike = (value: unknown): value is ArrayLike<unknown> =>
  Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));

/** The first place where a value is not what was promised; undefined if there is none. */
export function deviation(actual: unknown, promised: unknown, path = ''): string | undefined {
  const wrong = (what: unknown) => `${path || 'the value'} is ${String(actual)}, not ${String(what)}`;
  if (promised instanceof Printed) {
    const { value, tolerance } = promised;
    const number = typeof actual === 'bigint' ? Number(actual) : actual;
    if (typeof number !== 'number') return wrong(value);
    // A little more: half a unit may itself be a rounded number.
    return Math.abs(number - value) <= tolerance * (1 + 1e-9) ? undefined : wrong(value);
  }
  if (isArrayLike(promised)) {
    if (!isArrayLike(actual)) return wrong(`an array of ${promised.length}`);
    if (actual.length !== promised.length)
      return `${path || 'the value'} has ${actual.length} elements, not ${promised.length}`;
    for (let i = 0; i < promised.length; i++) {
      const found = deviation(actual[i], promised[i], `${path}[${i}]`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  if (typeof promised === 'object' && promised !== null) {
    if (typeof actual !== 'object' || actual === null) return wrong('an object');
    const values = actual as Record<string, unknown>;
    const expected = promised as Record<string, unknown>;
    const unsaid = Object.keys(values).find((key) => values[key] !== undefined && !(key in expected));
    if (unsaid !== undefined) return `${path || 'the value'} has ${unsaid} too`;
    for (const [key, value] of Object.entries(expected)) {
      const found = deviation(values[key], value, `${path}.${key}`);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  return Object.is(actual, promised) ? undefined : wrong(promised);
}
