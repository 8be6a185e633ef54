// Numbers as the pages write them.

const superscripts = '⁰¹²³⁴⁵⁶⁷⁸⁹';
const raised = (exponent: number) =>
  (exponent < 0 ? '⁻' : '') +
  String(Math.abs(exponent)).replace(/\d/g, (digit) => superscripts[+digit] ?? '');

/** So many digits behind the point; far from 1 as 1.2 · 10⁻⁷. Minus is the sign, not a hyphen. */
export function formatNumber(value: number, digits = 4): string {
  if (Number.isNaN(value)) return 'NaN';
  const sign = value < 0 ? '−' : '';
  const size = Math.abs(value);
  if (size === Number.POSITIVE_INFINITY) return `${sign}∞`;
  if (size === 0 || (size >= 10 ** -digits && size < 1e6)) return sign + size.toFixed(digits);
  const [mantissa = '', exponent = ''] = size.toExponential(1).split('e');
  return `${sign}${mantissa} · 10${raised(Number(exponent))}`;
}

/** A whole number of per cent, or the first digit of less. */
export function formatPercent(share: number): string {
  const percent = 100 * share;
  return `${percent >= 9.5 || percent === 0 ? percent.toFixed(0) : percent.toPrecision(1)} %`;
}
