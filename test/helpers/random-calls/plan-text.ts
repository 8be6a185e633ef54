// A plan as one line of JSON, with the numbers that JSON does not have: what a failure prints, and --replay takes.

import type { CallPlan } from './plan.js';

export const textOf = (plan: CallPlan): string =>
  JSON.stringify(plan, (_key, value) =>
    typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))
      ? `#${Object.is(value, -0) ? '-0' : value}`
      : value,
  );

export const planOf = (text: string): CallPlan =>
  JSON.parse(text, (_key, value) =>
    typeof value === 'string' && value.startsWith('#') ? Number(value.slice(1)) : value,
  );
