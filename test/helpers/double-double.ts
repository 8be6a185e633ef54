// Numbers of 106 bits: the sum of two doubles, high + low, with |low| at most half an ULP of high (Dekker 1971; Hida,
// Li and Bailey 2001). References for float64 results need them; test/accuracy-dtypes.test.ts checks them by BigInt.

export interface DoubleDouble {
  readonly high: number;
  readonly low: number;
}

/** a + b, for |a| at least |b|. */
function fastTwoSum(a: number, b: number): DoubleDouble {
  const high = a + b;
  return { high, low: b - (high - a) };
}

/** a + b, exactly. */
export function twoSum(a: number, b: number): DoubleDouble {
  const high = a + b;
  const bPart = high - a;
  return { high, low: a - (high - bPart) + (b - bPart) };
}

/** a · b, exactly while nothing under- or overflows. */
function twoProduct(a: number, b: number): DoubleDouble {
  const high = a * b;
  const splitA = 134217729 * a;
  const aHigh = splitA - (splitA - a);
  const aLow = a - aHigh;
  const splitB = 134217729 * b;
  const bHigh = splitB - (splitB - b);
  const bLow = b - bHigh;
  return { high, low: aHigh * bHigh - high + aHigh * bLow + aLow * bHigh + aLow * bLow };
}

export function add(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const high = twoSum(a.high, b.high);
  const low = twoSum(a.low, b.low);
  const sum = fastTwoSum(high.high, high.low + low.high);
  return fastTwoSum(sum.high, sum.low + low.low);
}

export const negative = (a: DoubleDouble): DoubleDouble => ({ high: -a.high, low: -a.low });

export const subtract = (a: DoubleDouble, b: DoubleDouble): DoubleDouble => add(a, negative(b));

export function multiply(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const product = twoProduct(a.high, b.high);
  return fastTwoSum(product.high, product.low + (a.high * b.low + a.low * b.high));
}

export const fromNumber = (value: number): DoubleDouble => ({ high: value, low: 0 });

const one = fromNumber(1);

export function divide(a: DoubleDouble, b: DoubleDouble): DoubleDouble {
  const first = a.high / b.high;
  const rest = subtract(a, multiply(b, fromNumber(first)));
  const second = rest.high / b.high;
  const last = subtract(rest, multiply(b, fromNumber(second))).high / b.high;
  return add(fastTwoSum(first, second), fromNumber(last));
}

/** a · 2^exponent, in two steps so that neither power is out of range. */
function scale(a: DoubleDouble, exponent: number): DoubleDouble {
  const half = exponent >> 1;
  const [first, second] = [2 ** half, 2 ** (exponent - half)];
  return { high: a.high * first * second, low: a.low * first * second };
}

const ln2: DoubleDouble = { high: Math.LN2, low: 2.3190468138462996e-17 };

/** 1 / n!, from n = 1 on. */
const inverseFactorials: DoubleDouble[] = [one];
for (let n = 2; n <= 10; n++)
  inverseFactorials.push(divide(inverseFactorials[n - 2] as DoubleDouble, fromNumber(n)));

/** exp(r) − 1 for |r| below 0.4: the series of r / 256, then (1 + e)² − 1 = 2 e + e² eight times. */
function smallExpm1(r: DoubleDouble): DoubleDouble {
  const x = scale(r, -8);
  let series = inverseFactorials[9] as DoubleDouble;
  for (let n = 8; n >= 0; n--) series = add(multiply(series, x), inverseFactorials[n] as DoubleDouble);
  let e = multiply(series, x);
  for (let i = 0; i < 8; i++) e = add(scale(e, 1), multiply(e, e));
  return e;
}

export function exp(x: DoubleDouble): DoubleDouble {
  if (x.high < -800) return fromNumber(0);
  const n = Math.round(x.high / Math.LN2);
  const r = subtract(x, multiply(ln2, fromNumber(n)));
  return scale(add(smallExpm1(r), one), n);
}

/** log(1 + x) for x at least 0; accurate for the smallest x: one Newton step from float64. */
export function log1p(x: DoubleDouble): DoubleDouble {
  const guess = fromNumber(Math.log1p(x.high));
  if (x.high < 0.4) {
    const error = subtract(x, smallExpm1(guess));
    return add(guess, divide(error, add(one, x)));
  }
  const quotient = multiply(add(one, x), exp(negative(guess)));
  return add(guess, subtract(quotient, one));
}
